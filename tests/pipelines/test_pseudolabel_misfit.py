"""Masks of other frames, or of another video, are noticed before any work."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.contour_fit import Fit
from vsodtool.pipelines.densify.mask_fit import check_fit
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event

GIVEN = (0, 4, 8, 11)


def disc(time: int) -> Any:
    rows, columns = np.ogrid[:90, :160]
    return ((rows - 40 - time) ** 2 + (columns - 45 - 4 * time) ** 2 <= 400).astype(np.uint8) * 255


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A bright disc that moves 4 pixels to the right and 1 down per frame, over dark waves."""
    folder = tmp_path / "clip"
    folder.mkdir()
    rows, columns = np.ogrid[:90, :160]
    ground = (80 + 20 * np.sin(columns / 9) + 20 * np.cos(rows / 7)).astype(np.uint8)
    for time in range(14):
        assert cv2.imwrite(str(folder / f"{time:05d}.png"), np.where(disc(time) > 0, np.uint8(200), ground))
    return folder


def write(folder: Path, by: int, *, strange: bool = False) -> None:
    folder.mkdir()
    for time in GIVEN:
        mask = np.roll(disc(0), (35, 90), (0, 1)) if strange else disc(time)
        assert cv2.imwrite(str(folder / f"{time + by:05d}.png"), mask)


def run(clip: Path, *, events: list[Event] | None = None, **options: Any) -> Any:
    given = {
        "masks": (str(clip.parent / "masks"),),
        "output": clip.parent / "out",
        "method": "warp",
        **options,
    }
    heard = [] if events is None else events
    return run_pseudolabel(PseudoLabelConfig(inputs=(str(clip),), **given), on_event=heard.append)


def test_masks_counted_from_one(tmp_path: Path, clip: Path) -> None:
    write(tmp_path / "masks", 1)
    with pytest.raises(DataError, match="1 frame earlier") as caught:
        run(clip)
    assert caught.value.hint.startswith("say --frame-offset -1 (ffmpeg")
    assert not (tmp_path / "out").exists()
    (video,) = run(clip, frame_offset=-1).videos
    assert not video.doubts
    for time in GIVEN:  # each under the name of its true frame
        written = cv2.imread(str(tmp_path / "out" / "masks" / "clip" / f"{time:05d}.png"), 0)
        np.testing.assert_array_equal(written, disc(time))


def test_allowed_they_are_warned_of(tmp_path: Path, clip: Path) -> None:
    write(tmp_path / "masks", 1)
    events: list[Event] = []
    (video,) = run(clip, allow_misfit=True, dry_run=True, events=events).videos
    assert "1 frame earlier" in video.doubts[0]
    assert [event.message for event in events if event.kind == "warning"] == video.doubts


def test_masks_of_something_else_are_warned_of(tmp_path: Path, clip: Path) -> None:
    write(tmp_path / "masks", 0, strange=True)
    (video,) = run(clip, dry_run=True).videos
    assert "no better than other places" in video.doubts[0]


def test_masks_that_fit_are_not(tmp_path: Path, clip: Path) -> None:
    write(tmp_path / "masks", 0)
    events: list[Event] = []
    (video,) = run(clip, dry_run=True, events=events).videos
    assert not video.doubts
    assert not [event for event in events if event.kind == "warning"]


def test_what_was_looked_at_is_not_looked_at_again(
    tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def check(source: FrameSource, masks: MaskSet) -> Fit:
        looked.append(source.video.name)
        return check_fit(source, masks)

    monkeypatch.setattr("vsodtool.pipelines.densify.mask_fit.check_fit", check)
    write(tmp_path / "masks", 1)
    (first,) = run(clip, allow_misfit=True).videos
    events: list[Event] = []
    (again,) = run(clip, allow_misfit=True, events=events).videos
    assert looked == ["clip"]
    assert again.doubts == first.doubts != []
    assert [event.message for event in events if event.kind == "warning"] == first.doubts
    run(clip, allow_misfit=True, update=True)  # keeps what is known
    run(clip, allow_misfit=True)
    assert looked == ["clip"]
    mask = cv2.imread(str(tmp_path / "masks" / "00005.png"), 0)
    assert cv2.imwrite(str(tmp_path / "masks" / "00005.png"), np.roll(mask, 3, 0))
    run(clip, allow_misfit=True, update=True)
    run(clip, allow_misfit=True)  # another mask: looked at, once
    run(clip, allow_misfit=True)
    run(clip, allow_misfit=True, overwrite=True)
    assert looked == ["clip"] * 3


def test_of_an_update_a_new_video_is_looked_at(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "of").mkdir()
    write(tmp_path / "of/clip", 0)
    shutil.copytree(clip, tmp_path / "new")
    masks = (str(tmp_path / "of"),)
    run(clip, masks=masks)
    write(tmp_path / "of/new", 1)
    given = {"masks": masks, "output": tmp_path / "out", "method": "warp", "update": True}
    both = (str(clip), str(tmp_path / "new"))
    before = (tmp_path / "out/manifest.json").read_bytes()
    with pytest.raises(DataError, match="1 frame earlier"):
        run_pseudolabel(PseudoLabelConfig(inputs=both, **given))
    assert (tmp_path / "out/manifest.json").read_bytes() == before
    report = run_pseudolabel(PseudoLabelConfig(inputs=both, **given, allow_misfit=True))
    assert [len(video.doubts) for video in report.videos] == [0, 1]
