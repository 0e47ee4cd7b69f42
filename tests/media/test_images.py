"""Single images: what is written is what is read; refusals."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.images import encode_png, read_grey, read_image_size, read_rgb, write_png


def test_colours_come_back(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    path = tmp_path / "ä b" / "picture.png"
    write_png(path, rgb)
    assert np.array_equal(read_rgb(path), rgb)
    assert np.array_equal(np.asarray(Image.open(path)), rgb)
    assert [file.name for file in path.parent.iterdir()] == ["picture.png"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_is_written_with_its_depth(dtype: type) -> None:
    grey = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (6, 4)).astype(dtype)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(grey)))), grey)


def test_grey_comes_back(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_png(tmp_path / "a.png", grey, level=9)
    assert np.array_equal(read_grey(tmp_path / "a.png"), grey)


@pytest.mark.parametrize("shape", [(0, 4), (4,), (4, 4, 4)])
def test_refuses_what_is_no_picture(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="expected uint8"):
        encode_png(np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="float64"):
        encode_png(np.zeros((4, 4)))


def test_refuses_files_that_are_missing_or_no_picture(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.png"):
        read_rgb(tmp_path / "gone.png")
    for data in (b"", b"no picture"):
        (tmp_path / "bad.png").write_bytes(data)
        with pytest.raises(DataError, match=r"bad.png.*do not decode"):
            read_grey(tmp_path / "bad.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_decoded_picture(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"p.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {} if suffix == "bmp" else {"exif": exif}
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path, **more)
    assert read_image_size(path) == read_rgb(path).shape[:2]


def test_what_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    with pytest.raises(DataError, match="cannot read"):
        read_image_size(path)
    path.write_bytes(b"text that is no picture")
    with pytest.raises(DataError, match="found 23 bytes of something else"):
        read_image_size(path)
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="truncated"):
        read_image_size(path)
