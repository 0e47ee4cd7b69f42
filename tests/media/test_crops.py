from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels
from vsodtool.media.crops import WHOLE, Box, crop_map, read_crop, read_label
from vsodtool.media.images import read_levels
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.meaning import Meaning


def ramp(height: int, width: int) -> np.ndarray:
    """Red rises to the right, green downwards."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, width)
    rgb[..., 1] = np.linspace(0, 255, height)[:, None]
    return rgb


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    path = tmp_path / "Ünicode name.jpg"
    _, data = cv2.imencode(".jpg", ramp(321, 517)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    path.write_bytes(data.tobytes())
    return path


@pytest.mark.parametrize("side", [400, 200, 100, 50, 30])
def test_every_reduction_shows_the_same(jpeg: Path, side: int) -> None:
    expected = cv2.resize(ramp(321, 517), (side, side), interpolation=cv2.INTER_AREA)
    crop = read_crop(jpeg, (321, 517), WHOLE, side)
    assert crop.shape == (side, side, 3)
    assert np.abs(crop.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("side", [200, 24])
def test_a_box_of_it(jpeg: Path, side: int) -> None:
    crop = read_crop(jpeg, (321, 517), Box(0.5, 0.25, 0.5, 0.5), side).astype(int)
    assert crop[..., 0].mean() == pytest.approx(127, abs=4)
    assert crop[0, :, 1].mean() == pytest.approx(130, abs=8)
    assert crop[-1, :, 1].mean() == pytest.approx(252, abs=8)


@given(
    st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
    st.tuples(st.floats(0.001, 1), st.floats(0.001, 1)),
    st.tuples(st.integers(1, 50), st.integers(1, 50)),
)
def test_a_box_is_never_empty_nor_outside(
    corner: tuple[float, float], extent: tuple[float, float], size: tuple[int, int]
) -> None:
    sides = [min(length, 1 - start) for start, length in zip(corner, extent, strict=True)]
    rows, columns = Box(*corner, *sides).pixels(size)
    for part, pixels in ((rows, size[0]), (columns, size[1])):
        assert 0 <= part.start < part.stop <= pixels


def test_a_label_and_its_map(tmp_path: Path) -> None:
    path = tmp_path / "m.png"
    cv2.imwrite(str(path), np.kron(np.eye(2, dtype=np.uint8) * 255, np.ones((10, 10), np.uint8)))
    label = read_label(path, MaskEncoding("binary255", Meaning(threshold=128, families=frozenset({"grey8"}))))
    assert label.dtype == bool
    assert crop_map(label, WHOLE, 2).tolist() == [[1, 0], [0, 1]]
    assert crop_map(label, WHOLE, 1).tolist() == [[0.5]]
    assert crop_map(label, Box(0.5, 0.5, 0.5, 0.5), 4).tolist() == np.ones((4, 4)).tolist()


def test_a_picture_that_changed(jpeg: Path) -> None:
    with pytest.raises(DataError, match="expected 100x80 as before training, found another size"):
        read_crop(jpeg, (80, 100), WHOLE, 64)
    jpeg.write_bytes(b"")
    with pytest.raises(DataError, match="0 bytes that do not decode"):
        read_crop(jpeg, (321, 517), WHOLE, 64)
    jpeg.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        read_crop(jpeg, (321, 517), WHOLE, 64)


def test_a_deep_picture_is_stretched_by_the_levels_of_its_video(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), np.full((200, 200), 5000, np.uint16))
    assert (read_crop(path, (200, 200), WHOLE, 20, Levels(4000, 6000)) == 128).all()
    assert read_levels(path) == Levels(5000, 5000)


def test_a_picture_that_opencv_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(np.linspace(0, 1, 6400, dtype=np.float32).reshape(80, 80)).save(path)
    levels = read_levels(path)
    crop = read_crop(path, (80, 80), WHOLE, 80, levels)
    assert (crop.min(), crop.max()) == (0, 255)
