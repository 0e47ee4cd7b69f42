"""How unlike two pictures are around each pixel, source/differences.c."""

from __future__ import annotations

import ctypes

from torch import Tensor

from vsodtool.native.library import Library
from vsodtool.native.maps import Maps, in_rows, maps_of

_MAPS, _DATA = ctypes.POINTER(Maps), ctypes.c_void_p
_SMOOTHED = (_MAPS, _MAPS, _DATA, ctypes.c_int, _DATA)
_MEAN = (_MAPS, _MAPS, _DATA)


def largest_differences(library: Library, image: Tensor, others: Tensor, weights: Tensor) -> Tensor:
    """The largest difference of the channels, smoothed.

    Args:
        library: that has the loops.
        image: (1 or B, C, H, W), `readable`.
        others: (B, C, H, W), `readable`.
        weights: of a symmetric filter of odd length, float32.

    Returns:
        (B, 1, H, W).

    Raises:
        MemoryError: there is none for it.
    """
    image, others = in_rows(image).expand_as(others), in_rows(others)
    out = others.new_empty((len(others), 1, *others.shape[-2:]))
    run = library.function("vsod_largest_differences", _SMOOTHED, ctypes.c_int)
    if run(maps_of(image), maps_of(others), weights.data_ptr(), len(weights) // 2, out.data_ptr()):
        raise MemoryError
    return out


def mean_differences(library: Library, image: Tensor, other: Tensor) -> Tensor:
    """The mean difference of the channels, averaged over the 3 x 3 pixels around that there are.

    Args:
        library: that has the loops.
        image: (B, C, H, W), `readable`.
        other: the same.

    Returns:
        (B, 1, H, W).

    Raises:
        MemoryError: there is none for it.
    """
    image, other = in_rows(image), in_rows(other)
    out = other.new_empty((len(other), 1, *other.shape[-2:]))
    run = library.function("vsod_mean_differences", _MEAN, ctypes.c_int)
    if run(maps_of(image), maps_of(other), out.data_ptr()):
        raise MemoryError
    return out
