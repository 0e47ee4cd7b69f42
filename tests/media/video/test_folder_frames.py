"""Frames from folders: order, colours, losses, refusals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from vsodtool.errors import DataError
from vsodtool.media.fingerprint import input_fingerprint
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.types import ImageArray


def picture(seed: int = 0, height: int = 30, width: int = 40) -> ImageArray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height)).astype(np.uint8)


def save(path: Path, rgb: ImageArray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path)
    return path


def opened(folder: Path) -> FolderFrames:
    frames = open_frames(discover_videos([str(folder)])[0])
    assert isinstance(frames, FolderFrames)
    return frames


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "tiff", "PNG"])
def test_lossless_formats_come_back_in_rgb(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "ein Ordner ü" / f"1.{suffix}", picture())
    frames = opened(tmp_path / "ein Ordner ü")
    (frame,) = frames
    assert (frame.index, frame.name) == (0, "1")
    assert np.array_equal(frame.rgb, picture())
    assert frames.losses == []


@pytest.mark.parametrize("suffix", ["jpg", "jpeg", "webp"])
def test_lossy_formats_come_back_nearly(tmp_path: Path, suffix: str) -> None:
    rgb = np.full((16, 16, 3), (200, 100, 20), np.uint8)
    save(tmp_path / f"0.{suffix}", rgb)
    (frame,) = opened(tmp_path)
    assert np.abs(frame.rgb.astype(int) - rgb).max() <= 6


def test_order_names_and_size_are_known_before_decoding(tmp_path: Path) -> None:
    for number in (10, 9, 2):
        save(tmp_path / f"f{number}.png", picture(number))
    frames = opened(tmp_path)
    assert frames.names == ["f2", "f9", "f10"]
    assert frames.size == (30, 40)
    assert frames.fps == 24
    assert [(frame.index, frame.name) for frame in frames] == [(0, "f2"), (1, "f9"), (2, "f10")]
    assert np.array_equal(frames.read(2).rgb, picture(10))


def test_other_pixel_types_become_rgb(tmp_path: Path) -> None:
    grey = picture()[..., 0]
    grey = cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX)  # a deep frame is stretched to this range
    cv2.imwrite(str(tmp_path / "0.png"), grey.astype(np.uint16) * 257)
    cv2.imwrite(str(tmp_path / "1.png"), grey)
    cv2.imwrite(str(tmp_path / "2.png"), np.dstack([grey, grey, grey, grey // 2]))
    for frame in opened(tmp_path):
        assert np.array_equal(frame.rgb, np.dstack([grey, grey, grey]))


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    rgb = np.zeros((32, 16, 3), np.uint8)
    rgb[:16] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise by a quarter
    Image.fromarray(rgb).save(tmp_path / "0.jpg", exif=exif, quality=95)
    frames = opened(tmp_path)
    assert frames.size == (16, 32)
    (frame,) = frames
    assert frame.rgb[:, :14].max() < 30
    assert frame.rgb[:, 18:].min() > 220


@pytest.mark.parametrize("size", [(16, 16), (1, 1), (37, 53), (2160, 3840)])
def test_any_size(tmp_path: Path, size: tuple[int, int]) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros(size, np.uint8))
    frames = opened(tmp_path)
    assert frames.size == size
    assert next(iter(frames)).rgb.shape == (*size, 3)


def test_a_jpeg_cut_in_half_is_a_loss(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / f"{number}.jpg", picture(number))
    cut = tmp_path / "1.jpg"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    frames = opened(tmp_path)
    assert [(frame.index, frame.name) for frame in frames] == [(0, "0"), (2, "2")]
    (loss,) = frames.losses
    assert loss.frame_name == "1"
    assert "truncated" in loss.reason
    assert str(cut) in loss.reason
    assert len(list(frames)) == 2
    assert len(frames.losses) == 1
    with pytest.raises(DataError, match=r"1\.jpg.*truncated"):
        frames.read(1)


@pytest.mark.parametrize("data", [b"", b"text", b"BM text", b"II*\0 text"])
def test_files_that_are_no_pictures_are_losses(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "0.png").write_bytes(data)
    save(tmp_path / "1.png", picture())
    frames = opened(tmp_path)
    assert frames.size == (30, 40)
    assert [frame.name for frame in frames] == ["1"]
    assert [loss.frame_name for loss in frames.losses] == ["0"]


def test_a_file_that_vanishes_is_a_loss(tmp_path: Path) -> None:
    save(tmp_path / "0.png", picture())
    save(tmp_path / "1.png", picture())
    frames = opened(tmp_path)
    (tmp_path / "1.png").unlink()
    assert [frame.name for frame in frames] == ["0"]
    assert "cannot be read" in frames.losses[0].reason


def test_nothing_that_decodes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"text")
    frames = opened(tmp_path)
    with pytest.raises(DataError, match="none of its 1 frames decodes"):
        list(frames)


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "0.png", picture())
    save(tmp_path / "1.png", picture(0, 30, 41))
    with pytest.raises(
        DataError, match=r"1\.png: expected 40x30 like the first frame, found 41x30"
    ) as caught:
        list(opened(tmp_path))
    assert caught.value.hint
    with pytest.raises(DataError, match="found 41x30"):
        opened(tmp_path).read(1)


def test_real_frames(shared: Path) -> None:
    frames = opened(shared / "data" / "davis-dev" / "JPEGImages" / "480p" / "camel")
    assert len(frames.names) == 90
    assert frames.size == (480, 854)
    assert next(iter(frames)).rgb.shape == (480, 854, 3)


def test_selected_frames_only(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / f"{number}.png", picture(number))
    (tmp_path / "1.png").write_bytes(b"broken")
    (tmp_path / "2.png").write_bytes(b"broken")
    frames = opened(tmp_path)
    found = list(frames.select({0, 2, 4}))
    assert [(frame.index, frame.name) for frame in found] == [(0, "0"), (4, "4")]
    assert np.array_equal(found[1].rgb, picture(4))
    assert [loss.frame_name for loss in frames.losses] == ["2"]  # nobody asked for 1
    assert list(frames.select(())) == []
    assert len(list(frames)) == 3


def save_deep(path: Path, values: npt.NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        cv2.imwrite(str(path), values)
    else:
        Image.fromarray(values).save(path)


DEEP = {
    "12 of 16 bit": (".png", lambda grey: grey.astype(np.uint16) * 16),
    "thermal": (".png", lambda grey: 7400 + 2 * grey.astype(np.uint16)),
    "16-bit colour": (".png", lambda grey: np.dstack([grey.astype(np.uint16) * 9] * 3)),
    "float tiff": (".tif", lambda grey: grey.astype(np.float32) / 255),
    "int tiff": (".tif", lambda grey: grey.astype(np.int32) * 1000 - 5000),
    "16-bit tiff": (".tif", lambda grey: grey.astype(np.uint16) * 257),
}


@pytest.mark.parametrize("kind", DEEP)
def test_depths_above_8_bit_are_stretched_alike_in_all_frames(tmp_path: Path, kind: str) -> None:
    suffix, deepen = DEEP[kind]
    frames = [picture(seed)[..., 0] // 2 + 20 * seed for seed in range(4)]
    frames[0][0, :2], frames[3][0, :2] = 0, 255
    for index, grey in enumerate(frames):
        save_deep(tmp_path / f"{index}{suffix}", deepen(grey))
    source = opened(tmp_path)
    for frame, grey in zip(source, frames, strict=True):
        assert frame.rgb.dtype == np.uint8
        assert np.array_equal(frame.rgb, np.dstack([grey] * 3))
    assert np.array_equal(source.read(2).rgb[..., 1], frames[2])
    assert "becomes 0 to 255" in source.notes[0]


def test_8_bit_frames_have_no_note(tmp_path: Path) -> None:
    save(tmp_path / "0.png", picture())
    assert opened(tmp_path).notes == []


def test_a_link_that_leads_nowhere_is_a_loss(tmp_path: Path) -> None:
    for index in (0, 1, 2):
        save(tmp_path / f"{index}.png", picture(index))
    (tmp_path / "1.png").unlink()
    (tmp_path / "1.png").symlink_to("/nowhere/1.png")
    frames = opened(tmp_path)
    assert [(frame.index, frame.name) for frame in frames] == [(0, "0"), (2, "2")]
    assert frames.losses[0].frame_name == "1"
    assert "No such file" in frames.losses[0].reason
    assert input_fingerprint(frames.video) != ""


def test_a_pipe_among_the_frames_is_a_loss(tmp_path: Path) -> None:
    save(tmp_path / "0.png", picture())
    os.mkfifo(tmp_path / "1.png")
    frames = opened(tmp_path)
    assert len(list(frames)) == 1
    assert "a named pipe" in frames.losses[0].reason


@pytest.mark.parametrize("suffix", ["tif", "webp", "png"])
def test_several_pages_are_a_loss_that_says_so(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"0.{suffix}", picture())
    pages = [Image.fromarray(picture(seed)) for seed in range(3)]
    pages[0].save(tmp_path / f"1.{suffix}", save_all=True, append_images=pages[1:])
    frames = opened(tmp_path)
    assert [frame.name for frame in frames] == ["0"]
    assert "holds 3 pages" in frames.losses[0].reason
    (tmp_path / f"0.{suffix}").unlink()
    with pytest.raises(DataError, match="holds 3 pages"):
        list(opened(tmp_path))


@pytest.mark.parametrize(
    ("suffix", "more"), [("tif", {}), ("webp", {"lossless": True}), ("png", {}), ("jpg", {})]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_every_format(
    tmp_path: Path, suffix: str, more: dict[str, bool], orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"0.{suffix}"
    Image.fromarray(picture()).save(path, exif=exif, **more)
    (frame,) = opened(tmp_path)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    assert frame.rgb.shape == wanted.shape
    assert np.abs(frame.rgb.astype(int) - wanted).mean() < 2


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"0.{form.lower()}"
    Image.fromarray(picture()).convert("CMYK").save(path, form)
    (frame,) = opened(tmp_path)
    assert np.abs(frame.rgb.astype(int) - np.asarray(Image.open(path).convert("RGB"))).mean() < 3
