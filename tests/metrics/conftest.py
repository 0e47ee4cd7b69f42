"""The reference of the saliency measures, the package `pysodmetrics`, asked about one frame."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

Scores = dict[str, npt.NDArray[np.float64]]
Reference = Callable[..., Scores]


@pytest.fixture(scope="session")
def pysodmetrics() -> Any:
    """The package; what it imports warns of deprecations of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("py_sod_metrics", reason="needs pysodmetrics, of the extra 'dev'")


@pytest.fixture(scope="session")
def reference(pysodmetrics: Any) -> Reference:
    """Scores of a frame by the names of `FrameScores`; curves rise with the threshold, as there.

    Its arguments: prediction (uint8 or uint16, or float64 in [0, 1] if it is not to be stretched), truth
    (bool), stretch=True.
    """

    def scores(prediction: npt.NDArray[Any], truth: npt.NDArray[np.bool_], stretch: bool = True) -> Scores:
        mask = truth.astype(np.uint8) * 255 if stretch else truth

        def ask(name: str) -> Any:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="This class will be removed in the future")
                # blocks without pixels in the S-measure
                warnings.filterwarnings("ignore", category=RuntimeWarning)
                measure = getattr(pysodmetrics, name)()
                measure.step(prediction, mask, normalize=stretch)
                return measure.get_results()

        f, e = ask("Fmeasure"), ask("Emeasure")
        return {
            "mae": np.asarray(ask("MAE")["mae"]),
            "s_measure": np.asarray(ask("Smeasure")["sm"]),
            "weighted_f": np.asarray(ask("WeightedFmeasure")["wfm"]),
            "precision_curve": f["pr"]["p"][::-1],
            "recall_curve": f["pr"]["r"][::-1],
            "f_curve": f["fm"]["curve"][::-1],
            "adaptive_f": np.asarray(f["fm"]["adp"]),
            "e_curve": e["em"]["curve"][::-1],
            "adaptive_e": np.asarray(e["em"]["adp"]),
        }

    return scores
