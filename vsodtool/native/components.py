"""Connected parts of a region, source/components.c."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

from vsodtool.native.library import Library

_ARGUMENTS = (ctypes.c_void_p, *(ctypes.c_int,) * 3, ctypes.c_void_p)


def parts(library: Library, inside: Tensor, *, corners: bool) -> tuple[Tensor, int]:
    """The connected parts of a region, see `ops.labels.connected.parts`.

    Args:
        library: that has the loops.
        inside: the region, bool (H, W), on the CPU.
        corners: pixels hang together by their corners too.

    Returns:
        The number of each pixel's part, int64 (H, W), and how many there are.

    Raises:
        MemoryError: there is none for it.
    """
    inside = inside.contiguous()
    numbers = inside.new_empty(inside.shape, dtype=torch.int64)
    run = library.function("vsod_parts", _ARGUMENTS, ctypes.c_int)
    count = run(inside.data_ptr(), *inside.shape, corners, numbers.data_ptr())
    if count < 0:
        raise MemoryError
    return numbers, count
