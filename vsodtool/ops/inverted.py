"""Are masks drawn the other way round, black on white? Then what is drawn surrounds the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vsodtool.types import LabelArray

INVERTED = "its masks cover most of their frames and all of their edges: are they black on white?"
_LEAST_SHARE = 0.5  # of the frame
_LEAST_EDGE = 0.95  # of the pixels at the edge of the frame


def look_inverted(masks: Sequence[LabelArray]) -> bool:
    """Whether every mask that shows an object shows it over most of its frame and all around its edge.

    Args:
        masks: object ids (H, W), 0 = background.
    """
    drawn = [labels > 0 for labels in masks if labels.any()]
    return bool(drawn) and all(
        mask.mean() >= _LEAST_SHARE and _edge(mask).mean() >= _LEAST_EDGE for mask in drawn
    )


def _edge(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
