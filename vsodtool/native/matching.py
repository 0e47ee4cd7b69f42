"""The best match of each owner near by, source/matching.c."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vsodtool.native.library import Library
from vsodtool.native.maps import Maps, in_rows, maps_of


@dataclass(frozen=True)
class Costs:
    """Where to look and what counts, in whole numbers of 16 bits; see `search` in source/matching.c.

    Attributes:
        places: that are looked at: rows and columns from the pixel, and the cost of that.
        unit: that colours and doubts are multiplied with.
        doubt: what a doubt counts beside colours.
        divisor: of sums over a patch.
        worst: that an owner may cost.
    """

    places: Sequence[tuple[int, int, int]]
    unit: float
    doubt: float
    divisor: float
    worst: int


class _Place(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("down", "right", "cost")]


class _Search(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_float) for name in ("unit", "doubt", "divisor")),
        *((name, ctypes.c_int) for name in ("worst", "reach", "places")),
    ]


_MAPS, _SIZE, _DATA = ctypes.POINTER(Maps), ctypes.c_int, ctypes.c_void_p
_ARGUMENTS = (
    *(_MAPS, _MAPS, _MAPS, _DATA, _SIZE, _SIZE, _SIZE, _SIZE),
    *(ctypes.POINTER(_Place), ctypes.POINTER(_Search), _DATA),
)


def owner_costs(
    library: Library,
    maps: tuple[Tensor, Tensor, Tensor],
    wanted: Tensor,
    origin: tuple[int, int],
    costs: Costs,
) -> Tensor:
    """What each owner costs at some pixels of a box, see `ops.labels.matching`.

    Args:
        library: that has the loops.
        maps: of one size, `readable`: the image (1, 3, H, W), others (S, 3, H, W), their labels (S, O, H, W).
        wanted: pixels of the box, bool (h, w).
        origin: (row, column) of its first one.
        costs: how they are counted.

    Returns:
        (1, 1 + O, h, w); of what is not wanted it says nothing.

    Raises:
        MemoryError: there is none for it.
    """
    image, warped, labels = (in_rows(each) for each in maps)
    wanted = wanted.contiguous().view(torch.uint8)
    out = image.new_zeros((1, 1 + labels.shape[1], *wanted.shape))
    reach = 1 + max(max(abs(row), abs(column)) for row, column, _ in costs.places)
    run = library.function("vsod_owner_costs", _ARGUMENTS, ctypes.c_int)
    failed = run(
        *(maps_of(image), maps_of(warped), maps_of(labels), wanted.data_ptr(), *origin, *wanted.shape),
        (_Place * len(costs.places))(*(_Place(*place) for place in costs.places)),
        _Search(costs.unit, costs.doubt, costs.divisor, costs.worst, reach, len(costs.places)),
        out.data_ptr(),
    )
    if failed:
        raise MemoryError
    return out
