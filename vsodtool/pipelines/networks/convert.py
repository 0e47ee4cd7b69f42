"""`vsodtool weights convert`: weights of any origin -> a safetensors file of vsodtool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from vsodtool.errors import UsageError, WeightsError
from vsodtool.media.weights.files import WeightFile, read_weights, sha256_of_weights
from vsodtool.models.weights.entry import WeightsRegistry
from vsodtool.models.weights.registry import REGISTRY
from vsodtool.pipelines.networks.load import LoadedNetwork, find_weights, network_of
from vsodtool.pipelines.networks.save import network_metadata, save_network
from vsodtool.types import Event, OnEvent, ignore_event

_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class ConvertReport:
    """What became of a weight file.

    Attributes:
        source: what was read.
        source_sha256: of that file.
        output: what was written.
        architecture: of the network, in words.
        tensors: how many.
        precision: fp32 or fp16, as stored.
        size: bytes; 0 in a dry run.
        sha256: of the output; "" in a dry run.
        reused: the output was there already, from the same source.
    """

    source: Path
    source_sha256: str
    output: Path
    architecture: str
    tensors: int
    precision: str
    size: int
    sha256: str
    reused: bool

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        return {**vars(self), "source": str(self.source), "output": str(self.output)}


def convert_weights(
    name_or_file: str,
    output: Path,
    *,
    half: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    registry: WeightsRegistry = REGISTRY,
    on_event: OnEvent = ignore_event,
) -> ConvertReport:
    """Check weights strictly and write them as a file that says what it is.

    Args:
        name_or_file: a name of the registry, or a .pth or safetensors file.
        output: a path that ends in .safetensors.
        half: store 16-bit floats; without it 32-bit ones, the source's values.
        overwrite: replace a file that is there and holds something else.
        dry_run: check everything, write nothing.
        registry: where names are looked up.
        on_event: hears what was left out.

    Raises:
        UsageError: the output is no place for it.
        WeightsError: the source is not to be used (see `load_network`).
        DeviceError: the disk refuses.
    """
    name, path, sha256 = find_weights(name_or_file, registry=registry)
    _check_output(path, output)
    file = read_weights(path, sha256=sha256)
    loaded = network_of(file, name=name)
    for notice in loaded.notices:
        on_event(Event("notice", message=notice))
    metadata = _metadata(file, loaded, half=half)
    reused = output.exists() and not overwrite
    if reused:
        _require_same(output, loaded, metadata, half=half)
        on_event(Event("notice", message=f"{output} is there already, from the same source"))
    elif not dry_run:
        save_network(output, loaded.network, loaded.preprocessing, metadata=metadata, half=half)
    there = output.is_file() and (reused or not dry_run)
    return ConvertReport(
        source=path,
        source_sha256=file.sha256,
        output=output,
        architecture=str(loaded.architecture),
        tensors=len(loaded.network.state_dict()),
        precision=metadata["precision"],
        size=output.stat().st_size if there else 0,
        sha256=sha256_of_weights(output) if there else "",
        reused=reused,
    )


def _check_output(source: Path, output: Path) -> None:
    if output.suffix != _SUFFIX:
        raise UsageError(f"OUT: expected a name ending in {_SUFFIX}, found '{output}'", "rename it")
    if output.is_dir():
        raise UsageError(f"{output} is a folder, expected a file", "choose another name")
    if output.exists() and output.samefile(source):
        raise UsageError(f"{output} is the input itself, which is never written to", "choose another name")


def _metadata(file: WeightFile, loaded: LoadedNetwork, *, half: bool) -> dict[str, str]:
    """What an earlier conversion or training said stays; where it was read is added."""
    return {
        **file.metadata,
        **network_metadata(loaded.architecture, loaded.preprocessing),
        "source": file.path.name,
        "source_sha256": file.sha256,
        "precision": "fp16" if half else "fp32",
    }


def _require_same(output: Path, loaded: LoadedNetwork, metadata: dict[str, str], *, half: bool) -> None:
    """Raise unless `output` is what would be written."""
    hint = "choose another name, or say --overwrite"
    try:
        there = read_weights(output)
    except WeightsError as error:
        raise UsageError(f"OUT exists and is something else: {error.message}", hint) from error
    wanted = loaded.network.state_dict()
    same = there.metadata == metadata and there.tensors.keys() == wanted.keys()
    if not same or not all(_equal(there.tensors[name], wanted[name], half=half) for name in wanted):
        raise UsageError(f"{output} exists and holds other weights or another conversion of them", hint)


def _equal(stored: torch.Tensor, tensor: torch.Tensor, *, half: bool) -> bool:
    return torch.equal(stored, tensor.half() if half and tensor.dtype is torch.float32 else tensor)
