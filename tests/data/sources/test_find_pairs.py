"""Pictures and masks side by side."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from tests.data.sources.test_training_data import Disks, counts, load
from vsodtool.errors import DataError


def test_a_davis_style_root_with_sparse_masks(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a", "b", "c"], labelled=(0, 3, 7))
    data = load(tmp_path, root)
    assert counts(data) == {"a": (3, 0), "b": (3, 0), "c": (3, 0)}
    assert [frame.position for frame in data.train[0].frames] == [0, 3, 7]
    assert data.notices[0] == f"{root}: 3 videos with 9 given masks"
    assert data.notices[1].startswith("set aside for validation: ")


def test_folders_of_images_and_masks_are_still_images(tmp_path: Path, disk: Disks) -> None:
    root = disk("s").stills(6)
    data = load(tmp_path, root)
    assert all(video.stills for video in (*data.train, *data.validation))
    assert {frame.size for video in data.train for frame in video.frames} > {(40, 60)}
    assert counts(load(tmp_path, f"{root / 'images'}::{root / 'masks'}")) == {"images": (6, 0)}


def test_one_folder_of_numbered_frames_of_one_size_is_a_video(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"])
    pair = f"{root}/JPEGImages/a::{root}/Annotations/a"
    assert not load(tmp_path, pair).train[0].stills
    assert load(tmp_path, f"stills:{pair}").train[0].stills


def test_a_video_file_and_its_masks(tmp_path: Path, disk: Disks) -> None:
    video, masks = disk("v").clip([0, 3, 6])
    data = load(tmp_path, f"{video}::{masks}")
    frames = [frame for video in (*data.train, *data.validation) for frame in video.frames]
    assert sorted(frame.name for frame in frames) == ["00000", "00003", "00006"]
    for frame in frames:
        red = cv2.imread(str(frame.image))[..., 2]
        square = cv2.imread(str(frame.mask), cv2.IMREAD_GRAYSCALE) > 0
        assert red[square].mean() > 170  # the square is where the mask is: this is the frame of the mask
        assert red[~square].mean() < 90
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.jpg")}
    assert len(written) == 3
    assert load(tmp_path, f"{video}::{masks}").fingerprint == data.fingerprint
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.jpg")} == written


def test_a_second_mask_for_a_frame(tmp_path: Path, disk: Disks) -> None:
    video, masks = disk("v").clip([0, 3])
    (masks / "again_3.png").write_bytes((masks / "00003.png").read_bytes())
    (masks / "00042.png").write_bytes((masks / "00003.png").read_bytes())
    with pytest.raises(DataError, match=r"mask without a frame: .*00042.*second mask for a frame: .*again_3"):
        load(tmp_path, f"{video}::{masks}")


def test_no_masks_at_all(tmp_path: Path, disk: Disks) -> None:
    root = disk("d").davis(["a"], labelled=())
    (root / "Annotations/a").mkdir(parents=True)
    with pytest.raises(DataError, match="expected frames with masks, found none"):
        load(tmp_path, root)
