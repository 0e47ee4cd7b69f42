"""Labels drawn to the edges of an image, source/guided_filter.c."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from torch import Tensor

from vsodtool.native.library import Library
from vsodtool.native.maps import Maps, in_rows, maps_of

_MAPS = ctypes.POINTER(Maps)
_WEIGHTS = ctypes.c_float * 3
_ARGUMENTS = (_MAPS, _MAPS, _WEIGHTS, ctypes.c_float, ctypes.c_void_p)


def guided_filter(
    library: Library, labels: Tensor, image: Tensor, luma: Sequence[float], smoothness: float
) -> Tensor:
    """Labels filtered by the luma of an image in windows of 5 x 5 pixels, see `ops.labels.edges`.

    Args:
        library: that has the loops.
        labels: (1, O, H, W), `readable`.
        image: (1, 3, H, W), `readable`.
        luma: weights of the three colours.
        smoothness: variance below which an edge does not count.

    Returns:
        (1, O, H, W).

    Raises:
        MemoryError: there is none for it.
    """
    labels, image = in_rows(labels), in_rows(image)
    out = labels.new_empty(labels.shape)
    run = library.function("vsod_guided_filter", _ARGUMENTS, ctypes.c_int)
    if run(maps_of(image), maps_of(labels), _WEIGHTS(*luma), smoothness, out.data_ptr()):
        raise MemoryError
    return out
