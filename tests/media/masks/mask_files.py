"""Masks made for tests, as files of every kind; and several of them read and judged together."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.plane_png import Palette, encode_plane_png
from vsodtool.media.masks.reading import RawMask, read_raw_mask
from vsodtool.media.masks.statistics import summarise

DAVIS = bytes([0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]) + bytes(756)

Plane = npt.NDArray[np.uint8]


RED, GREEN, BLUE, VOC = (128, 0, 0), (0, 128, 0), (0, 0, 128), (224, 224, 192)


def blobs(*values: int, dtype: type = np.uint8) -> npt.NDArray[np.uint8]:
    """A mask of 60 x 80 with one block of 20 x 15 for every value."""
    mask = np.zeros((60, 80), dtype)
    for place, value in enumerate(values):
        mask[
            10 + 25 * (place // 4) : 30 + 25 * (place // 4), 2 + 20 * (place % 4) : 17 + 20 * (place % 4)
        ] = value
    return mask


def smooth(top: int = 255, sigma: float = 1.0) -> Plane:
    """An ellipse with anti-aliased or blurred edges."""
    disc = cv2.ellipse(np.zeros((60, 80), np.uint8), (40, 30), (25, 18), 20, 0, 360, top, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(disc, (0, 0), sigma).astype(np.uint8)


def png(pixels: npt.NDArray[np.generic], suffix: str = ".png") -> bytes:
    """RGB(A) or grey -> file."""
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, order[pixels.shape[2]])
    return cv2.imencode(suffix, pixels)[1].tobytes()


def palette_png(indices: Plane, colours: bytes = DAVIS) -> bytes:
    return encode_plane_png(indices, Palette(colours))


class Masks:
    """Mask files of one video, read and judged together."""

    def __init__(self, folder: Path, files: Sequence[bytes], suffix: str = ".png") -> None:
        self.raw: list[RawMask] = []
        summaries = []
        for index, data in enumerate(files):
            path = folder / f"{index}{suffix}"
            path.write_bytes(data)
            self.raw.append(read_raw_mask(path))
            summaries.append(summarise(path, self.raw[-1]))
        self.encoding, self.ids = detect_encoding(summaries)

    def labels(self, index: int = 0) -> npt.NDArray[np.uint16]:
        found = self.encoding.labels(self.raw[index])
        assert found.dtype == np.uint16
        return found

    def given(self, index: int = 0) -> Image.Image:
        return Image.open(io.BytesIO(self.encoding.encode_given(self.raw[index])))

    def written(self, index: int = 0) -> Image.Image:
        return Image.open(io.BytesIO(self.encoding.encode(self.labels(index))))


def drawn(*colours: tuple[int, int, int]) -> Plane:
    """`blobs` in colours, uint8 (60, 80, 3)."""
    table = np.array([(0, 0, 0), *colours], np.uint8)
    return table[blobs(*range(1, len(colours) + 1))]


def ring(inside: Plane, width: int, value: int, dtype: type = np.uint8) -> Plane:
    """Ids with a border around them."""
    size = 2 * width + 1
    grown = cv2.dilate((inside > 0).astype(np.uint8), np.ones((size, size), np.uint8))
    return np.where((grown > 0) & (inside == 0), value, inside.astype(dtype))


def pillow(values: Plane, form: str, colours: bytes = DAVIS) -> bytes:
    """A palette file as Pillow writes it."""
    image = Image.frombytes("P", values.shape[::-1], np.ascontiguousarray(values).tobytes())
    image.putpalette(colours)
    buffer = io.BytesIO()
    image.save(buffer, form, **({"optimize": False} if form == "GIF" else {}))
    return buffer.getvalue()
