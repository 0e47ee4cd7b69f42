"""Every labelled frame and mask is opened once before training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.data.sources.test_training_data import Disks, counts, load
from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels
from vsodtool.media.crops import WHOLE, read_crop


def test_faults_of_all_sources_are_told_together(tmp_path: Path, disk: Disks) -> None:
    first, second = disk("d").davis(["a"]), disk("e").davis(["b"])
    (first / "JPEGImages/a/00002.png").unlink()
    (second / "JPEGImages/b/00000.png").write_bytes(b"no picture")
    (second / "Annotations/b/00004.png").write_bytes(b"")
    with pytest.raises(DataError) as refused:
        load(tmp_path, first, second)
    for kind in ("mask without a frame: ", "unreadable image: ", "unreadable mask: "):
        assert kind in refused.value.message


def test_a_mask_of_another_size(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    cv2.imwrite(str(root / "Annotations/a/00003.png"), np.full((20, 30), 255, np.uint8))
    with pytest.raises(
        DataError, match=r"another size than its frame: .*00003.png \(30x20, expected 64x48\)"
    ):
        load(tmp_path, root)


def test_frames_of_several_sizes_in_one_video(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    for kind in ("JPEGImages", "Annotations"):
        path = root / kind / "a/00003.png"
        cv2.imwrite(str(path), cv2.imread(str(path))[:40])
    with pytest.raises(DataError, match=r"frame of another size than 00000.png: .*00003.png"):
        load(tmp_path, root)


def test_all_masks_empty(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"], frames=3)
    for path in (root / "Annotations").rglob("*.png"):
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    with pytest.raises(DataError, match="all 6 masks are empty"):
        load(tmp_path, root)
    drawn = root / "Annotations/b/00001.png"
    cv2.imwrite(str(drawn), np.full((48, 64), 255, np.uint8))
    assert counts(load(tmp_path, root)) == {"a": (3, 0), "b": (3, 0)}  # empty masks are statements


@pytest.mark.parametrize("kind", ["JPEGImages", "Annotations"])
def test_a_link_that_leads_nowhere_is_told(tmp_path: Path, disk: Disks, kind: str) -> None:
    root = disk("d").davis(["a"])
    path = root / kind / "a/00002.png"
    path.unlink()
    path.symlink_to("/nowhere/00002.png")
    with pytest.raises(DataError, match=r"unreadable (image|mask): .*00002\.png"):
        load(tmp_path, root)


def test_deep_frames_of_a_video_are_stretched_alike(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b"], frames=3)
    for index in range(3):
        deep = np.full((48, 64), 5000 + 100 * index, np.uint16)
        deep[0] = 4000
        cv2.imwrite(str(root / f"JPEGImages/a/0000{index}.png"), deep)
    data = load(tmp_path, root)
    first, second = sorted((*data.train, *data.validation), key=lambda video: video.name)
    assert {frame.levels for frame in first.frames} == {Levels(4000, 5200)}
    assert {frame.levels for frame in second.frames} == {None}
    crops = [read_crop(frame.image, frame.size, WHOLE, 48, frame.levels).max() for frame in first.frames]
    assert crops == [212, 234, 255]
