"""Flow by dense inverse search, source/flow.c."""

from __future__ import annotations

import ctypes
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from vsodtool.native.library import Library

FloatArray = npt.NDArray[np.float32]
LEAST_SIDE = 8  # of images: a patch


@dataclass(frozen=True)
class SearchSettings:
    """The knobs of the inverse search, in the order of `settings` in source/flow.c.

    Attributes:
        finest_scale: the flow is computed at 1 / 2**finest_scale of the image's size.
        patch_stride: pixels between the patches of 8 x 8 pixels; 1 to 8.
        steps: of Gauss and Newton, at most, for a patch and scale.
        rounds: of variational refinement at each scale, in which its weights are made anew; 0: none.
        sweeps: over the flow in each of these.
    """

    finest_scale: int
    patch_stride: int
    steps: int
    rounds: int
    sweeps: int = 5


class _Settings(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in SearchSettings.__dataclass_fields__]


_DATA, _SIDE = ctypes.c_void_p, ctypes.c_int
_ARGUMENTS = (_DATA, _DATA, _SIDE, _SIDE, _DATA, _DATA, ctypes.POINTER(_Settings))


def inverse_search(
    library: Library,
    first: FloatArray,
    second: FloatArray,
    start: FloatArray | None,
    settings: SearchSettings,
) -> FloatArray:
    """Flow from one image to another by dense inverse search, source/flow.c.

    Args:
        library: that has the loops.
        first: grey levels (H, W) in [0, 255], at least LEAST_SIDE pixels a side.
        second: the same.
        start: a flow (2, H, W) to start from.
        settings: see there.

    Returns:
        (2, H, W) in pixels, to the right and down: second(x + flow(x)) = first(x).

    Raises:
        MemoryError: there is none for it.
    """
    height, width = first.shape
    images = [np.ascontiguousarray(image, np.float32) for image in (first, second)]
    begin = None if start is None else np.ascontiguousarray(start, np.float32)
    flow = np.empty((2, height, width), np.float32)
    run = library.function("vsod_flow", _ARGUMENTS, ctypes.c_int)
    failed = run(
        images[0].ctypes.data,
        images[1].ctypes.data,
        height,
        width,
        None if begin is None else begin.ctypes.data,
        flow.ctypes.data,
        ctypes.byref(_Settings(*astuple(settings))),
    )
    if failed:
        raise MemoryError
    return flow
