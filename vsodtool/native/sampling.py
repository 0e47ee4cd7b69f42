"""Bilinear samples, source/sampling.c."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from torch import Tensor

from vsodtool.native.library import Library
from vsodtool.native.maps import Maps, in_rows, maps_of

_SIZE = ctypes.c_int
_ARGUMENTS = (
    *(ctypes.POINTER(Maps), _SIZE, ctypes.POINTER(Maps), _SIZE, _SIZE),
    ctypes.POINTER(ctypes.c_void_p),
)


def sample(library: Library, maps: Sequence[Tensor], flow: Tensor, origin: tuple[int, int]) -> list[Tensor]:
    """Maps of one size where a flow points to, clamped to their border; see `ops.warp.sample`.

    Args:
        library: that has the loops.
        maps: each (B, C, H, W), `readable`, of at least two pixels a side.
        flow: (B or 1, 2, h, w), `readable`.
        origin: (row, column) in the maps of the flow's first pixel.

    Returns:
        Of each (B, C, h, w).
    """
    maps, flow = [in_rows(each) for each in maps], in_rows(flow)
    flows = flow.expand(len(maps[0]), -1, -1, -1)
    out = [each.new_empty((*each.shape[:2], *flow.shape[-2:])) for each in maps]
    run = library.function("vsod_sample", _ARGUMENTS)
    run(
        *((Maps * len(maps))(*(maps_of(each) for each in maps)), len(maps), maps_of(flows), *origin),
        (ctypes.c_void_p * len(maps))(*(each.data_ptr() for each in out)),
    )
    return out
