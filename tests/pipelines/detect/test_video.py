"""What a run of `predict` writes for a frame, and whether maps are steadied; the rest is in test_predict."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vsodtool.config.commands.predict import PredictConfig
from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.detect.video import is_smoothed, output_files
from vsodtool.types import FrameRecord, FrameStatus

LAYOUT = OutputLayout(Path("out"))


def config(**options: Any) -> PredictConfig:
    return PredictConfig(inputs=("clip",), output=Path("out"), **options)


@pytest.mark.parametrize(
    ("status", "masks", "files"),
    [
        (FrameStatus.GENERATED, False, ["out/soft/clip/7.png"]),
        (FrameStatus.GENERATED, True, ["out/soft/clip/7.png", "out/masks/clip/7.png"]),
        (FrameStatus.SKIPPED, True, []),
    ],
)
def test_files_of_a_finished_frame(status: FrameStatus, masks: bool, files: list[str]) -> None:
    record = FrameRecord("clip", "7", status, "", "", 0.5)
    found = output_files(config(masks=masks), LAYOUT, record)
    assert [path.as_posix() for path in found] == files


@pytest.mark.parametrize(
    ("smooth", "sees_motion", "smoothed"),
    [("auto", True, True), ("auto", False, False), ("on", False, True), ("off", True, False)],
)
def test_auto_smooths_the_maps_of_networks_that_see_motion(
    smooth: str, sees_motion: bool, smoothed: bool
) -> None:
    detector: Any = SimpleNamespace(sees_motion=sees_motion)
    assert is_smoothed(config(smooth=smooth), detector) is smoothed
