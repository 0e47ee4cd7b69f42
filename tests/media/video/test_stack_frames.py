"""One file of several pictures as INPUT: its pages are frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, features

from vsodtool.errors import DataError
from vsodtool.media.video.frames import StackFrames, open_frames
from vsodtool.media.video.inputs import discover_videos


def pages(count: int = 5) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 20, 30, 3), dtype=np.uint8)


def opened(path: Path) -> StackFrames:
    frames = open_frames(discover_videos([str(path)])[0])
    assert isinstance(frames, StackFrames)
    return frames


def save(path: Path, stack: npt.NDArray[Any], **more: object) -> Path:
    pictures = [Image.fromarray(page) for page in stack]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **more)
    return path


@pytest.mark.parametrize(("suffix", "more"), [("tif", {}), ("webp", {"lossless": True}), ("png", {})])
def test_pages_are_numbered_frames(tmp_path: Path, suffix: str, more: dict[str, bool]) -> None:
    frames = opened(save(tmp_path / f"stack.{suffix}", pages(), **more))
    assert frames.video.name == "stack"
    assert frames.names == ["00000", "00001", "00002", "00003", "00004"]
    assert frames.size == (20, 30)
    for frame, rgb in zip(frames, pages(), strict=True):
        assert np.array_equal(frame.rgb, rgb)
    assert [frame.index for frame in frames.select({1, 3})] == [1, 3]
    assert (frames.losses, frames.notes) == ([], [])


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_deep_pages_are_stretched_alike(tmp_path: Path, dtype: type) -> None:
    grey = pages()[..., 0]
    grey[0, 0, :2] = 0, 255
    save(tmp_path / "stack.tif", grey.astype(dtype) * dtype(9))
    frames = opened(tmp_path / "stack.tif")
    for frame, values in zip(frames, grey, strict=True):
        assert np.array_equal(frame.rgb, np.dstack([values] * 3))
    assert frames.notes == ["frames deeper than 8 bit: 0 to 2295 becomes 0 to 255"]


def test_deep_pages_in_colour_keep_their_lower_byte(tmp_path: Path) -> None:
    colour = pages().astype(np.uint16) * 4  # 10 bit: the upper bytes are almost black
    colour[0, 0, :2] = [[0] * 3, [1020] * 3]
    cv2.imwritemulti(str(tmp_path / "stack.tif"), [page[..., ::-1] for page in colour])
    frames = opened(tmp_path / "stack.tif")
    for frame, values in zip(frames, colour, strict=True):
        assert np.array_equal(frame.rgb, values // 4)
    assert frames.notes == ["frames deeper than 8 bit: 0 to 1020 becomes 0 to 255"]
    assert frames.losses == []


def test_a_damaged_deep_page_in_colour_is_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    cv2.imwritemulti(str(path), list(pages(3).astype(np.uint16) * 200))
    data = bytearray(path.read_bytes())
    with Image.open(path) as file:
        file.seek(1)
        start = file.tag_v2[273][0]
    data[start : start + 400] = bytes(400)
    path.write_bytes(data)
    frames = opened(path)
    assert [frame.index for frame in frames] == [0, 2]
    assert [loss.frame_name for loss in frames.losses] == ["00001"]


def test_a_page_of_another_size_is_a_loss(tmp_path: Path) -> None:
    first, *others = (Image.fromarray(page) for page in pages(3))
    first.save(tmp_path / "a.tif", save_all=True, append_images=[others[0].resize((10, 10)), others[1]])
    frames = opened(tmp_path / "a.tif")
    assert [frame.index for frame in frames] == [0, 2]
    assert frames.losses[0].reason == "changes size from 30x20 to 10x10"


def test_a_damaged_page_is_a_loss(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", pages(3), compression="tiff_adobe_deflate")
    data = bytearray(path.read_bytes())
    with Image.open(path) as file:
        file.seek(1)
        start = file.tag_v2[273][0]
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    frames = opened(path)
    assert [frame.index for frame in frames] == [0, 2]
    assert frames.losses[0].frame_name == "00001"


def test_a_single_picture_is_no_video(tmp_path: Path) -> None:
    Image.fromarray(pages(1)[0]).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="found a single image"):
        opened(tmp_path / "a.tif")


def test_a_picture_that_an_animated_png_only_shows_elsewhere_is_no_frame(tmp_path: Path) -> None:
    cover = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    frames = [Image.fromarray(page) for page in pages()]
    cover.save(tmp_path / "a.png", save_all=True, append_images=frames, default_image=True)
    found = opened(tmp_path / "a.png")
    assert len(found.names) == 5
    for frame, rgb in zip(found, pages(), strict=True):
        assert np.array_equal(frame.rgb, rgb)


@pytest.mark.parametrize(
    ("name", "form"), [("a.mp4", "PNG"), ("a.gif", "WEBP"), ("a.mkv", "TIFF"), ("a.jpg", "PNG"), ("a", "PNG")]
)
def test_several_pictures_are_a_video_whatever_the_file_is_called(
    tmp_path: Path, name: str, form: str
) -> None:
    save(tmp_path / name, pages(), format=form, **({"lossless": True} if form == "WEBP" else {}))
    assert [
        np.array_equal(frame.rgb, rgb) for frame, rgb in zip(opened(tmp_path / name), pages(), strict=True)
    ]


def test_a_gif_is_a_video_though_it_is_called_a_picture(tmp_path: Path) -> None:
    save(tmp_path / "a.png", pages(), format="GIF")
    frames = open_frames(discover_videos([str(tmp_path / "a.png")])[0])
    assert len(list(frames)) == len(frames.names) == 5


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_a_picture_that_is_stored_like_a_video_is_none(tmp_path: Path) -> None:
    Image.fromarray(pages()[0]).save(tmp_path / "a.jpg", format="AVIF")
    with pytest.raises(DataError, match="found a single image"):
        discover_videos([str(tmp_path / "a.jpg")])
