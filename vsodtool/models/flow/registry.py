"""Backend name -> flow estimator, by one table: a new backend is one file and one line of `BACKENDS`.

No torch here: what a backend needs is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsodtool.checks import resolve_device
from vsodtool.errors import UsageError
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event

if TYPE_CHECKING:
    import torch

_FALLBACK = "dis"  # needs nothing but a CPU


def _no_weights() -> Sequence[Any]:
    return ()


@dataclass(frozen=True, kw_only=True)
class FlowBackend:
    """A line of the table.

    Attributes:
        make: quality (fast, balanced, best), device and listener -> the estimator.
        devices: types of device that it computes on; asked for another, it computes on the CPU and gives its
            flows back where the images are.
        batched: whether it is kept busy by several pairs in one call, as networks are; else by calls side by
            side, one pair each.
        weights: what it reads, as torchvision declares it: published files whose names carry their hash.
        best_on: types of device on which `auto` means this backend, if its weights lie there.
    """

    make: Callable[[str, torch.device, OnEvent], FlowEstimator]
    devices: tuple[str, ...]
    batched: bool = False
    weights: Callable[[], Sequence[Any]] = _no_weights
    best_on: tuple[str, ...] = ()


def _dis(quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    del device, on_event  # the CPU, and nothing to tell
    from vsodtool.models.flow.dis import DisEstimator

    return DisEstimator(quality)


def _raft(variant: str, quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    from vsodtool.models.flow.raft import RaftEstimator

    return RaftEstimator(variant, quality=quality, device=device, on_event=on_event)


def _raft_weights(variant: str) -> Sequence[Any]:
    from vsodtool.models.flow.raft import declared_weights

    return (declared_weights(variant),)


def _raft_backend(variant: str, best_on: tuple[str, ...] = ()) -> FlowBackend:
    return FlowBackend(
        make=partial(_raft, variant),
        devices=("cpu", "cuda", "mps"),
        batched=True,
        weights=partial(_raft_weights, variant),
        best_on=best_on,
    )


BACKENDS: dict[str, FlowBackend] = {
    "dis": FlowBackend(make=_dis, devices=("cpu",)),
    "raft-small": _raft_backend("raft-small"),
    "raft-large": _raft_backend("raft-large", best_on=("cuda",)),
}


def create_estimator(
    backend: str,
    *,
    quality: str = "balanced",
    device: str | torch.device = "auto",
    on_event: OnEvent = ignore_event,
) -> FlowEstimator:
    """Make the estimator that a backend name stands for.

    Args:
        backend: a name of `BACKENDS`, or auto (see `resolve_backend`).
        quality: fast, balanced or best.
        device: a name as in `vsodtool.checks.resolve_device`, or a device.
        on_event: hears which backend `auto` chose when that is not the best one.

    Raises:
        UsageError: unknown backend or quality.
        DeviceError: the device does not exist.
        WeightsError: a backend is asked for by name and its weights cannot be had.
    """
    where = resolve_device(device) if isinstance(device, str) else device
    chosen = find_backend(resolve_backend(backend, where, on_event=on_event))
    if where.type not in chosen.devices:
        where = resolve_device("cpu")
    return chosen.make(quality, where, on_event)


def find_backend(name: str) -> FlowBackend:
    """The line of the table with this name (not auto).

    Raises:
        UsageError: there is none.
    """
    if name not in BACKENDS:
        raise UsageError(f"backend: expected one of auto, {', '.join(BACKENDS)}, found '{name}'")
    return BACKENDS[name]


def resolve_backend(backend: str, device: torch.device, *, on_event: OnEvent = ignore_event) -> str:
    """The backend that `auto` means on a device: the best one there whose weights lie here, else dis.

    Nothing is downloaded for `auto`. Any other name is returned as it is.
    """
    if backend != "auto":
        return backend
    for name, line in BACKENDS.items():
        if device.type not in line.best_on:
            continue
        missing = [path for path in weight_files(name) if not path.is_file()]
        if not missing:
            return name
        message = (
            f"flow: the weights of {name} are not at {missing[0]}, using {_FALLBACK}; "
            f"--backend {name} fetches them"
        )
        on_event(Event("notice", message=message))
    return _FALLBACK


def weight_digests(backend: str, *, fetch: bool = False, on_event: OnEvent = ignore_event) -> dict[str, str]:
    """SHA-256 of the weight files of a backend (not auto), by their names.

    Args:
        backend: whose.
        fetch: fetch what is not there yet, so that this run and the next one know the same of it; else what
            is not there is left out.
        on_event: hears of a download.

    Raises:
        UsageError: there is no such backend.
        WeightsError: the weights cannot be had, or are damaged.
        DeviceError: torch's cache cannot be written.
    """
    from vsodtool.media.fingerprint import file_sha256
    from vsodtool.media.weights.checkpoints import fetch_torchvision_weights, torchvision_weights_path

    digests = {}
    for member in find_backend(backend).weights():
        path = torchvision_weights_path(member)
        if fetch and not path.is_file():
            fetch_torchvision_weights(
                member, on_download=lambda line: on_event(Event("notice", message=line))
            )
        if path.is_file():
            digests[path.name] = file_sha256(path)
    return digests


def weight_files(backend: str) -> list[Path]:
    """The weight files that a backend (not auto) reads, whether they are there or not.

    Raises:
        UsageError: there is no such backend.
    """
    from vsodtool.media.weights.checkpoints import torchvision_weights_path

    return [torchvision_weights_path(member) for member in find_backend(backend).weights()]
