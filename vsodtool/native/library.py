"""The library that `build.py` compiled, as functions of arrays."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.native.build import LIBRARY, fingerprint

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


class Library:
    """Its functions. They let other threads run, and keep nothing.

    Args:
        path: of the library.

    Raises:
        OSError: it cannot be loaded.
    """

    def __init__(self, path: Path) -> None:
        loaded = ctypes.CDLL(str(path))
        loaded.vsod_sources.restype = ctypes.c_char_p
        self.sources = loaded.vsod_sources().decode()
        self._flow = loaded.vsod_flow
        pointer, size = ctypes.c_void_p, ctypes.c_int
        self._flow.argtypes = [pointer, pointer, size, size, pointer, pointer, ctypes.POINTER(_Settings)]
        self._loaded = loaded

    def function(
        self, name: str, arguments: Sequence[type[Any]], result: type[Any] | None = None
    ) -> Callable[..., Any]:
        """One of its functions, for the modules beside this one.

        Args:
            name: in the sources.
            arguments: the types of its arguments; pointers to structures take these themselves.
            result: the type of what it returns.
        """
        found = getattr(self._loaded, name)
        if found.argtypes is None:
            found.restype, found.argtypes = result, arguments
        return found  # type: ignore[no-any-return]

    def flow(
        self, first: FloatArray, second: FloatArray, start: FloatArray | None, settings: SearchSettings
    ) -> FloatArray:
        """Flow from one image to another by dense inverse search, source/inverse_search.c.

        Args:
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
        failed = self._flow(
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


@cache
def library() -> Library | None:
    """The library, or None where it was not compiled, or of other sources than these."""
    try:
        found = Library(LIBRARY)
    except OSError:
        return None
    return found if found.sources == fingerprint() else None
