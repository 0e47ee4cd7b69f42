"""Checks at the doors: shapes of tensors as in `vsodtool.types`; devices, threads, memory, regular files."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.errors import DeviceError, ShapeError, UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def check_image(image: Tensor, name: str = "image") -> None:
    """Require a floating (B, 3, H, W).

    Raises:
        ShapeError: naming the tensor, what was expected and what was found.
    """
    _check(image, 3, name)


def check_flow(flow: Tensor, name: str = "flow") -> None:
    """Require a floating (B, 2, H, W).

    Raises:
        ShapeError: naming the tensor, what was expected and what was found.
    """
    _check(flow, 2, name)


def check_map(values: Tensor, name: str = "map") -> None:
    """Require a floating (B, 1, H, W): a mask, a probability, a confidence.

    Raises:
        ShapeError: naming the tensor, what was expected and what was found.
    """
    _check(values, 1, name)


def check_tensor(values: Tensor, name: str = "tensor") -> None:
    """Require a floating (B, C, H, W) with any number of channels.

    Raises:
        ShapeError: naming the tensor, what was expected and what was found.
    """
    _check(values, None, name)


def check_same_size(first: Tensor, second: Tensor, names: str = "tensors") -> None:
    """Require two (B, C, H, W) that agree in B, H and W.

    Raises:
        ShapeError: naming the tensors and both shapes.
    """
    if first.shape[0] != second.shape[0] or first.shape[-2:] != second.shape[-2:]:
        raise ShapeError(
            f"{names}: expected the same (B, *, H, W), found {tuple(first.shape)} and {tuple(second.shape)}"
        )


def _check(values: Tensor, channels: int | None, name: str) -> None:
    right = values.ndim == 4 and (channels is None or values.shape[1] == channels) and values.numel() > 0
    if not (right and values.is_floating_point()):
        wanted = "C" if channels is None else channels
        raise ShapeError(
            f"{name}: expected a floating (B, {wanted}, H, W) that is not empty, "
            f"found {values.dtype} {tuple(values.shape)}"
        )


def resolve_device(name: str) -> torch.device:
    """The device that a name stands for.

    Args:
        name: cpu, cuda, cuda:N, mps, or auto (cuda where this torch can compute on it, else cpu: on Apple
            GPUs some of what is needed does not exist, and nothing was ever run on one).

    Raises:
        UsageError: the name is none of these.
        DeviceError: the machine has no such device; it is never replaced by another.
    """
    import torch

    kind, colon, number = name.partition(":")
    if kind not in {"auto", "cpu", "cuda", "mps"} or (
        colon and not (kind == "cuda" and re.fullmatch("[0-9]{1,6}", number))
    ):
        raise UsageError(f"device: expected auto, cpu, cuda, cuda:N or mps, found '{name}'")
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if kind == "auto":
        return torch.device("cuda" if has_cuda and _has_kernels() else "cpu")
    if kind == "cuda":
        count = torch.cuda.device_count() if has_cuda else 0
        if int(number or 0) >= count:
            found = f"{count} CUDA device{'s' if count != 1 else ''}" if count else "no CUDA device"
            raise DeviceError(f"device '{name}' does not exist: found {found}", "use --device auto or cpu")
    if kind == "mps" and not has_mps:
        raise DeviceError("device 'mps' does not exist: found no Apple GPU", "use --device auto or cpu")
    return torch.device(name)


def _has_kernels() -> bool:
    """Whether this torch was built for the first GPU: each release leaves some old ones behind."""
    import torch

    # sm_90: machine code, which later GPUs of the same generation run; compute_90: for all later ones.
    built = [re.fullmatch("(sm|compute)_([0-9]+)([0-9])[a-z]?", arch) for arch in torch.cuda.get_arch_list()]
    major, minor = torch.cuda.get_device_capability(0)
    for arch in built:
        if arch is None:  # AMD's have other names
            return True
        of = int(arch[2]), int(arch[3])
        if of <= (major, minor) and (arch[1] == "compute" or of[0] == major):
            return True
    return not built


def whole_number(text: str) -> int | None:
    """The number that a text of ASCII digits is; None if it is none.

    More than 18 digits are no number of anything here, and Python refuses to read more than 4300.
    """
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


_KINDS_OF_FILE = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_regular(path: Path) -> None:
    """Refuse what a reader could wait for or read for ever: named pipes, devices, sockets.

    Raises:
        OSError: it is one of these (EINVAL; `strerror` says which), or cannot be looked at. Readers turn it
            into an error of their own, as they do with every other failure to open.
    """
    try:
        mode = path.stat().st_mode
    except ValueError as error:  # a zero byte, which no name has
        raise OSError(errno.EINVAL, "not the name of a file", str(path)) from error
    for is_kind, name in _KINDS_OF_FILE:
        if is_kind(mode):
            raise OSError(errno.EINVAL, f"expected a file, found {name}", str(path))


def resolve_workers(workers: int) -> int:
    """The number of threads that `--workers` stands for: 0 = every core that this process may use."""
    if workers > 0:
        return workers
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(allowed(0)) if allowed else os.cpu_count() or 1


# How libraries say it. Neither torch nor OpenCV may be imported for asking, so their exceptions go by name.
_MEMORY_SIGNS = {
    "RuntimeError": (
        *("can't allocate memory", "not enough memory", "bad_alloc", "bad allocation"),
        "can't start new thread",
    ),
    "error": ("Failed to allocate", "Insufficient memory", "bad_alloc", "start thread"),  # of OpenCV
    "ImportError": ("cannot allocate memory", "Cannot allocate memory", "failed to map segment"),
}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of Python, torch (CPU or GPU), OpenCV or a loader of libraries says that memory
    (or room for one more thread) did not suffice."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's own
        return True
    text = str(error)
    signs = _MEMORY_SIGNS.get(type(error).__name__, ())
    # The room for "static TLS" is a fixed one, which more memory does not enlarge.
    return any(sign in text for sign in signs) and "static TLS" not in text


# How torch says that a GPU cannot do what it was asked for.
_DEVICE_SIGNS = (
    *("MPS: ", "MPS backend", "MPS device", "MPS Tensor"),
    *("no kernel image", "CUDA driver", "devices are busy", "CUDNN_STATUS_NOT_INITIALIZED"),
)
_DEVICE_ERRORS = {"RuntimeError", "NotImplementedError", "AcceleratorError", "TypeError"}


def device_failure(error: BaseException) -> str | None:
    """What torch says of a GPU that failed or lacks an operation, its first line; None of another error."""
    text = (str(error).splitlines() or [""])[0]
    if type(error).__name__ not in _DEVICE_ERRORS or not any(sign in text for sign in _DEVICE_SIGNS):
        return None
    return text
