"""thi.ng's rle-pack, in which Label Studio stores brushes: runs and literals of 8-bit values, packed in bits.

Bits, the most significant first: 32 for the number of values, 5 for the word size - 1, four times 4 for the
sizes of run lengths - 1; then blocks: 1 bit "run", 2 bits which size, the length - 1, and one value (run) or
all values (literal); zeros fill the last byte.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from vsodtool.media.annotations.runs import MaskArray
from vsodtool.types import Size

_SIZES = (3, 4, 8, 16)  # bits of a length: what Label Studio writes
_WORD = 8


def unpack_alpha(packed: list[int], size: Size) -> MaskArray:
    """Where the alpha of a packed RGBA image, bool (H, W), is above one half.

    Raises:
        ValueError: it is damaged, or holds another number of values than H x W x 4.
    """
    height, width = size
    if any(not 0 <= byte < 256 for byte in packed):
        raise ValueError("expected bytes of 0 to 255, found another number")
    bits = _Bits(bytes(packed))
    count = bits.take(32)
    if count != height * width * 4:
        raise ValueError(f"expected {height * width * 4} values ({width}x{height} RGBA), found {count}")
    word = bits.take(5) + 1
    if word != _WORD:
        raise ValueError(f"expected values of {_WORD} bits, found {word}")
    sizes = [bits.take(4) + 1 for _ in range(4)]
    values = np.empty(count, np.uint8)
    filled = 0
    while filled < count:
        run = bits.take(1)
        length = bits.take(sizes[bits.take(2)]) + 1
        if filled + length > count:
            raise ValueError(f"expected {count} values, found more")
        if run:
            values[filled : filled + length] = bits.take(_WORD)
        else:
            values[filled : filled + length] = bits.take_values(length)
        filled += length
    alpha: MaskArray = values.reshape(height, width, 4)[..., 3] > 127
    return alpha


def pack_mask(mask: MaskArray) -> list[int]:
    """A mask, bool (H, W), as packed RGBA: 255 in all four channels where it is set."""
    values = np.repeat(mask.ravel().astype(np.uint8) * np.uint8(255), 4)
    writer: list[str] = [f"{values.size:032b}", f"{_WORD - 1:05b}", *(f"{size - 1:04b}" for size in _SIZES)]
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    bounds = [0, *changes.tolist(), values.size] if values.size else [0]
    for start, end in pairwise(bounds):
        left = end - start
        while left:
            length = min(left, 1 << _SIZES[-1])
            which = next(place for place, size in enumerate(_SIZES) if length <= 1 << size)
            writer.append(f"1{which:02b}{length - 1:0{_SIZES[which]}b}{values[start]:08b}")
            left -= length
    text = "".join(writer)
    text += "0" * (8 - len(text) % 8)  # the SDK appends a whole zero byte where nothing is left to fill
    return list(int(text, 2).to_bytes(len(text) // 8, "big"))


class _Bits:
    """A reader of bits that refuses to read past the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> int:
        end = self._at + count
        if end > 8 * len(self._data):
            raise ValueError("expected more bytes, found the end")
        first, last = self._at // 8, (end + 7) // 8
        window = int.from_bytes(self._data[first:last], "big") >> (8 * last - end)
        self._at = end
        return window & ((1 << count) - 1)

    def take_values(self, count: int) -> npt.NDArray[np.uint8]:
        end = self._at + _WORD * count
        if end > 8 * len(self._data):
            raise ValueError("expected more bytes, found the end")
        first, last = self._at // 8, (end + 7) // 8
        bits = np.unpackbits(np.frombuffer(self._data[first:last], np.uint8))
        start = self._at - 8 * first
        self._at = end
        return np.packbits(bits[start : start + _WORD * count])
