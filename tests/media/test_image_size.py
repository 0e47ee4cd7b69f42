from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.image_size import read_image_size
from vsodtool.media.images import read_rgb


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_decoded_picture(tmp_path: Path, suffix: str, orientation: int) -> None:
    path = tmp_path / f"p.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    more = {"exif": exif} if suffix == "jpg" else {}
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
