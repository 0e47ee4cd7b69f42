"""Arrays put aside on disk, for intervals too long to hold in memory."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DeviceError

_PREFIX = ".vsodtool-spill-"


class FrameSpill:
    """Lossless store of arrays by index, in a temporary folder that goes away at `close()` and at exit.

    Args:
        folder: where the temporary folder is made; created if missing. It needs H x W x 3 bytes per frame.

    Arrays of any shape and type may be put. Different indices may be used from different threads at once.

    Raises:
        DeviceError: the disk is full or not writable.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, suffix=".tmp", dir=folder))
        except OSError as error:
            raise _device_error(folder, error) from error
        self._kinds: dict[int, tuple[np.dtype[Any], tuple[int, ...]]] = {}
        self._finalizer = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)

    def put(self, index: int, rgb: npt.NDArray[Any]) -> None:
        """Store an array under an index, replacing what was there.

        Raises:
            DeviceError: the disk is full or not writable.
        """
        path = self._path(index)
        plain = np.asarray(rgb, order="C")
        try:
            with path.open("wb") as file:  # tofile forgets the reason when a write fails
                file.write(plain.data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise _device_error(path, error) from error
        self._kinds[index] = plain.dtype, plain.shape

    def get(self, index: int) -> npt.NDArray[Any]:
        """The array put under an index, exactly.

        Raises:
            KeyError: nothing is there.
        """
        # Not np.load: two threads that parse headers at once end, rarely, in a SystemError of Python 3.11.
        dtype, shape = self._kinds[index]
        array: npt.NDArray[Any] = np.fromfile(self._path(index), dtype).reshape(shape)
        return array

    def discard(self, index: int) -> None:
        """Give the disk space of an index back; nothing happens if nothing is there."""
        self._kinds.pop(index, None)
        self._path(index).unlink(missing_ok=True)

    def close(self) -> None:
        """Delete everything; may be called more than once."""
        self._finalizer()

    def __enter__(self) -> FrameSpill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def remove_leftovers(folder: Path) -> None:
        """Delete what killed runs left in `folder`; only for a folder that no other run uses."""
        for leftover in folder.glob(f"{_PREFIX}*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _path(self, index: int) -> Path:
        return self._folder / f"{index:08d}.raw"


def _device_error(path: Path, error: OSError) -> DeviceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DeviceError(
            f"{path}: no space left for frames put aside",
            "free disk space, or label more frames of the video",
        )
    return DeviceError(
        f"{path}: cannot put frames aside: {os.strerror(error.errno or 0)}", "make the folder writable"
    )
