"""safetensors files: named tensors with text beside them, and nothing that could be executed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.checks import check_regular
from vsodtool.errors import WeightsError
from vsodtool.media.atomic import atomic_path, disk_errors

if TYPE_CHECKING:
    from torch import Tensor

_TYPE_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
_ALIGNMENT = 8


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata of a file.

    The tensors are copies: a file that changes later cannot change them or end the process.

    Raises:
        WeightsError: the file is damaged or incomplete.
    """
    from safetensors import SafetensorError, safe_open

    try:
        check_regular(path)
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            return {name: file.get_tensor(name).clone() for name in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise WeightsError(
            f"{path} is damaged or incomplete: {reason}", "get the file again; compare its size and SHA-256"
        ) from error


def write_weights(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, half: bool = False
) -> None:
    """Write a safetensors file; the same content gives the same bytes.

    (The package's own writer stores the metadata in random order.)

    Args:
        path: replaced only when the new file is complete.
        tensors: any device; stored as they are.
        metadata: stored beside them.
        half: store 32-bit floats in 16 bits (IEEE half precision): half the size, values rounded.

    Raises:
        WeightsError: a value does not fit into half precision, or a type cannot be stored.
        DeviceError: the disk refuses.
    """
    import torch

    stored = {name: _stored(name, tensor, half=half) for name, tensor in tensors.items()}
    # Wide types first, so that every tensor is aligned; the format allows no gaps.
    order = sorted(stored, key=lambda name: (-stored[name].element_size(), name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    start = 0
    for name in order:
        tensor = stored[name]
        end = start + tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _type_name(name, tensor),
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with atomic_path(path) as temporary, disk_errors(path), temporary.open("xb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in order:
            file.write(stored[name].reshape(-1).view(torch.uint8).numpy().data)


def _stored(name: str, tensor: Tensor, *, half: bool) -> Tensor:
    import torch

    tensor = tensor.detach().cpu().contiguous()
    if not half or tensor.dtype is not torch.float32:
        return tensor
    halved = tensor.half()
    if not torch.isfinite(halved).all():
        raise WeightsError(
            f"{name}: {tensor.abs().max():.3g} does not fit into half precision", "store it in full precision"
        )
    return halved


def _type_name(name: str, tensor: Tensor) -> str:
    known = _TYPE_NAMES.get(str(tensor.dtype).removeprefix("torch."))
    if known is None:
        raise WeightsError(f"{name}: values of type {tensor.dtype} cannot be stored")
    return known
