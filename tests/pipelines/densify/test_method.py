"""The table of methods: what its lines make, and that a line is all that a new one needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vsodtool.cli.app import app
from vsodtool.config import PseudoLabelConfig
from vsodtool.config.methods import EVERY_QUALITY, METHODS, DensifierMethod
from vsodtool.errors import ConfigError
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.method import (
    Method,
    MethodSetup,
    Wants,
    create_method,
    is_smoothed,
    thinned_gaps,
)
from vsodtool.pipelines.densify.quality import rules
from vsodtool.pipelines.pseudolabel import run_pseudolabel


class Nearest:
    """The label of the nearer labelled frame, as it is: a toy."""

    name = "nearest"
    wants = Wants.LABELS

    def __init__(self, setup: MethodSetup) -> None:
        self.quality = setup.quality

    def generate(self, evidence: Evidence) -> SoftLabel:
        nearest = min(evidence.interval.labelled, key=lambda known: abs(known.index - evidence.index))
        return evidence.answer(nearest.labels, torch.ones_like(nearest.labels[:, :1]))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "nearest", DensifierMethod(make=f"{__name__}:Nearest"))


@pytest.fixture
def clip(film: Callable[..., Any], tmp_path: Path) -> Any:
    made = film([(2, 1)] * 5)
    made.write_folder(tmp_path / "clip")
    made.write_masks(tmp_path / "masks", [0, 5])
    return made


def check_nearest(clip: Any, out: Path) -> None:
    for index, nearest in enumerate((0, 0, 0, 5, 5, 5)):
        found = cv2.imread(str(out / f"masks/clip/{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, clip.truth[nearest] * 255)


@pytest.mark.usefixtures("toy")
def test_a_toy_method_through_nothing_but_the_table(tmp_path: Path, clip: Any) -> None:
    inputs, masks, out = (str(tmp_path / "clip"),), tmp_path / "masks", tmp_path / "out"
    config = PseudoLabelConfig(inputs=inputs, masks=masks, output=out, method="nearest", device="cpu")
    report = run_pseudolabel(config)
    assert report.method == report.videos[0].method == "nearest"
    check_nearest(clip, out)


@pytest.mark.usefixtures("toy")
def test_a_toy_method_from_the_command_line(
    tmp_path: Path, clip: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [tmp_path / "clip", "--masks", tmp_path / "masks", "-o", tmp_path / "out"]
    app(["pseudolabel", *map(str, arguments), "--method", "nearest", "--json"], standalone_mode=False)
    assert '"method": "nearest"' in capsys.readouterr().out
    check_nearest(clip, tmp_path / "out")


def test_what_is_not_in_the_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of auto, fgplg, warp, sam2, found 'nearest'"):
        PseudoLabelConfig(inputs=("v",), masks=tmp_path, output=tmp_path / "o", method="nearest")


@pytest.mark.parametrize("quality", EVERY_QUALITY)
def test_lines_without_weights_make_methods_of_their_name(quality: str) -> None:
    for name, line in METHODS.items():
        if not line.weights and not line.foreign:
            setup = MethodSetup(
                name, quality, "composed", torch.device("cpu"), None, lambda: pytest.fail("flow")
            )
            assert create_method(setup).name == name


class Learned:
    """A network that wants something."""

    name = "learned"

    def __init__(self, wants: Wants) -> None:
        self.wants = wants

    def generate(self, evidence: Evidence) -> SoftLabel:
        return evidence.answer(evidence.image[:, :1], evidence.image[:, :1])


@pytest.mark.parametrize("quality", EVERY_QUALITY)
def test_who_makes_every_second_frame_only(quality: str) -> None:
    class Fgplg(Learned):
        name = "fgplg"

    assert thinned_gaps(Fgplg(Wants.BOXES), quality) == (range(4, 13) if quality == "fast" else range(0))
    for method in (Fgplg(Wants.FRAMES), Learned(Wants.BOXES), rules(quality)):
        assert not thinned_gaps(method, quality)


@pytest.mark.parametrize("quality", EVERY_QUALITY)
def test_who_is_smoothed(quality: str) -> None:
    own: Method = Learned(Wants.BOXES)
    assert is_smoothed(own, quality)
    assert not any(is_smoothed(Learned(wants), quality) for wants in (Wants.FRAMES, Wants.LABELS))
    assert is_smoothed(rules(quality), quality) is (quality != "fast")
