"""Which number of a name is the frame's, and when that is in doubt."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.media.masks.numbers import frame_numbers


def number(stem: str, video: str = "clip") -> int | str:
    return frame_numbers([Path(f"{stem}.png")], video)[0]


@pytest.mark.parametrize(
    ("stem", "video"),
    [
        ("12", "clip"),
        ("00012", "clip"),
        ("frame_000012", "clip"),
        ("IMG12", "clip"),
        ("frame-12", "clip"),
        ("cam2_12", "cam2"),
        ("2024-05-01_12", "2024-05-01"),
        ("clip-00012", "clip"),  # ffmpeg -i clip.mp4 clip-%05d.png
        ("cam-1-12", "cam-1"),
        ("2024-05-01-12", "2024-05-01"),
        ("20240501_120000_frame12", "20240501_120000"),
        ("v2 mask 12", "clip"),
        ("00012_png.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f2", "clip"),  # uploaded to Roboflow as 00012.png
        ("00012_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f2_mask", "clip"),
        ("2024-05-01-10-20-30_12", "2024-05-01-10-20-30"),
        ("shot.0012", "clip"),
    ],
)
def test_the_number_at_the_end(stem: str, video: str) -> None:
    assert number(stem, video) == 12


@pytest.mark.parametrize(
    ("stem", "why"),
    [
        ("00004 (1)", "none there"),  # a browser's second download
        ("12_mask", "none there"),
        ("clip_mp4-4_jpg.rf.0a1b2c3d4e5f60718293a4b5c6d7e8f2", "none there"),
        ("clip_mp4-4_jpg.rf.abcdefabcdefabcdefabcdefabcdef12", "none there"),
        ("0a1b2c3d4e5f6071", "none there"),
        ("task-5-annotation-3-by-1-tag-tree-0", "several numbers (5, 3, 1, 0)"),
        ("00004_1", "several numbers (00004, 1)"),
        ("frame_-3", "a negative number"),
        ("-3", "a negative number"),
        ("clip_-3", "a negative number"),
        ("first", "none"),
        ("clip_1.24", "a time"),
        ("00-00-01.240", "a time"),
        ("clip_00_00_01_12", "a time"),
        ("clip", "none"),
    ],
)
def test_doubt(stem: str, why: str) -> None:
    assert number(stem) == why


def test_a_common_beginning_leaves_no_doubt() -> None:
    masks = [Path(f"cam 1 take 3 {index}.png") for index in (0, 12, 24)]
    assert frame_numbers(masks, "clip") == [0, 12, 24]
    assert frame_numbers([Path("take 3.0012.png"), Path("take 3.0024.png")], "clip") == [12, 24]
    tasks = [Path(f"task-{task}-annotation-{task}-tag-0.png") for task in (5, 6)]
    assert all(isinstance(each, str) for each in frame_numbers(tasks, "clip"))


def test_times_within_one_second_are_no_numbers_though_their_text_is_the_same() -> None:
    for names in (("1.200", "1.240"), ("00_00_01_05", "00_00_01_10")):
        masks = [Path(f"{name}.png") for name in names]
        assert frame_numbers(masks, "clip") == ["a time", "a time"]
