"""Tensors as the compiled loops see them, without a copy."""

from __future__ import annotations

import ctypes

import torch
from torch import Tensor

_MOST = 2**31  # floats of a channel: places in it are 32 bits


class Maps(ctypes.Structure):
    """Maps (B, C, H, W), as `maps` in source/maps.h; the tensor has to outlive it."""

    _fields_ = [
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("count", "channels", "height", "width")),
        *((name, ctypes.c_ssize_t) for name in ("next", "channel", "row")),
    ]


def readable(*tensors: Tensor) -> bool:
    """Whether the loops can read them: float32 on the CPU, no gradient wanted, not too large."""
    return all(
        tensor.dtype is torch.float32
        and tensor.device.type == "cpu"
        and not (tensor.requires_grad and torch.is_grad_enabled())
        and (tensor.shape[-2] - 1) * tensor.stride(-2) + tensor.shape[-1] < _MOST
        for tensor in tensors
    )


def in_rows(tensor: Tensor) -> Tensor:
    """Itself, or a copy whose pixels lie beside each other in each row."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def maps_of(tensor: Tensor) -> Maps:
    """Of a tensor (B, C, H, W), see `readable` and `in_rows`."""
    return Maps(tensor.data_ptr(), *tensor.shape, *tensor.stride()[:3])
