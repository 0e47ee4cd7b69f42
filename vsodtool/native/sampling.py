"""Bilinear samples, source/sampling.c."""

from __future__ import annotations

import ctypes

from torch import Tensor

from vsodtool.native.library import Library
from vsodtool.native.maps import Maps, in_rows, maps_of

_ARGUMENTS = (ctypes.POINTER(Maps), ctypes.POINTER(Maps), ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


def sample(library: Library, image: Tensor, flow: Tensor, origin: tuple[int, int]) -> Tensor:
    """An image where a flow points to, clamped to its border; see `ops.warp.sample`.

    Args:
        library: that has the loops.
        image: (B, C, H, W), `readable`, of at least two pixels a side.
        flow: (B or 1, 2, h, w), `readable`.
        origin: (row, column) in the image of the flow's first pixel.

    Returns:
        (B, C, h, w).
    """
    image, flow = in_rows(image), in_rows(flow)
    flows = flow.expand(len(image), -1, -1, -1)
    out = image.new_empty((*image.shape[:2], *flow.shape[-2:]))
    run = library.function("vsod_sample", _ARGUMENTS)
    run(maps_of(image), maps_of(flows), *origin, out.data_ptr())
    return out
