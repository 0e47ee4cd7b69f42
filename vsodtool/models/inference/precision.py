"""Which number format a network computes in."""

from __future__ import annotations

import platform

import torch

from vsodtool.errors import DeviceError, UsageError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
PRECISIONS = ("auto", *DTYPES)


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision that a name stands for: auto is bf16 where the device has it in hardware, else fp32.

    Args:
        name: auto, fp32, bf16 or fp16.
        device: that computes.

    Raises:
        UsageError: there is no such precision.
        DeviceError: the device cannot compute in it.
    """
    if name not in PRECISIONS:
        raise UsageError(f"precision: expected one of {', '.join(PRECISIONS)}, found '{name}'")
    if name == "auto":
        return "bf16" if _has_bf16(device) else "fp32"
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise DeviceError(f"device '{device}' does not compute in bf16", "use --precision fp16, fp32 or auto")
    return name


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    # Without such instructions oneDNN computes bf16 by way of fp32, slower than fp32 itself.
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # absent in some releases of torch
    return supported is not None and bool(supported())
