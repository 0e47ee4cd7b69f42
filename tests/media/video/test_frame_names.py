"""Frames have numbers and are named alike; a folder that happens to hold pictures is no video."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.video.frame_names import check_frame_names
from vsodtool.media.video.inputs import discover_videos


def folder(root: Path, *names: str) -> list[str]:
    (root / "clip").mkdir()
    for name in names:
        (root / "clip" / name).write_bytes(b"x")
    return [str(root / "clip")]


@pytest.mark.parametrize(
    "names",
    [
        ("0.png",),
        ("photo.jpg",),
        ("00000.jpg", "00001.jpg"),
        ("frame_9.png", "frame_10.png", "Frame_11.PNG"),
        ("x-1.png", "x2.png", "x3.png"),
        ("00000.jpg", "00001.jpg", "cover.jpg"),
        ("café00000.png", "cafe\u030100001.png"),
        ("n01532829_13482.jpg", "n01532829_4.jpg", "ILSVRC2012_test_00000004.jpg", "sun_a1b2.jpg"),
        ("2024-05-01 10.00.00.png", "2024-05-01 10.00.01.png"),
        ("1.png", "1.5.png", "2.png", "2.5.png"),
        ("scene1.png", "scene1_2.png", "scene2.png", "scene2_2.png"),
        ("00000.jpg", "00001.jpg", "00001_cover.jpg"),
    ],
)
def test_frames(tmp_path: Path, names: tuple[str, ...]) -> None:
    check_frame_names(discover_videos(folder(tmp_path, *names)))


@pytest.mark.parametrize(
    "names",
    [
        ("s.png", "s2.png"),
        ("a.jpg", "b.jpg", "c.jpg"),
        ("logo.png", "banner2.png", "figure-1.png"),
        ("icon.png", "readme.png", "shot1.png", "shot2.png", "title.png"),
    ],
)
def test_pictures_that_are_no_frames(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="clip: expected frames with numbers in their names") as caught:
        check_frame_names(discover_videos(folder(tmp_path, *names)))
    assert min(names) in caught.value.message
    assert "give the video file" in caught.value.hint


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ("00000.jpg", "00000_mask.png", "00001.jpg", "00001_mask.png"),
            "00000_mask beside 00000, 00001_mask",
        ),
        (("f1.png", "f1 (1).png", "f2.png", "f2 (1).png"), r"f1 \(1\) beside f1"),
        (tuple(f"{n}{end}.png" for n in range(3) for end in ("", "-depth")), "1-depth beside 1 and 1 more"),
    ],
)
def test_pictures_beside_frames_are_no_frames_between_them(
    tmp_path: Path, names: tuple[str, ...], told: str
) -> None:
    with pytest.raises(DataError, match=f"clip: expected frames alone, found pictures beside them: .*{told}"):
        check_frame_names(discover_videos(folder(tmp_path, *names)))


def test_a_file_has_no_names_to_check(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    check_frame_names(discover_videos([str(tmp_path / "clip.mp4")]))
