"""Backend name -> flow estimator. A new backend is one file and one line in `_FACTORIES`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.checks import resolve_device
from vsodtool.errors import UsageError
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event

if TYPE_CHECKING:
    import torch


def create_estimator(
    backend: str,
    *,
    quality: str = "balanced",
    device: str | torch.device = "auto",
    on_event: OnEvent = ignore_event,
) -> FlowEstimator:
    """Make the estimator that a backend name stands for.

    Args:
        backend: dis, raft-small, raft-large, or auto (see `resolve_backend`).
        quality: fast, balanced or best.
        device: a name as in `vsodtool.checks.resolve_device`, or a device.
        on_event: hears which backend `auto` chose when that is not the best one.

    Raises:
        UsageError: unknown backend or quality.
        DeviceError: the device does not exist.
        WeightsError: a RAFT is asked for by name and its weights cannot be had.
    """
    where = resolve_device(device) if isinstance(device, str) else device
    name = resolve_backend(backend, where, on_event=on_event)
    factory = _FACTORIES.get(name)
    if factory is None:
        raise UsageError(f"backend: expected one of auto, {', '.join(_FACTORIES)}, found '{backend}'")
    return factory(quality, where, on_event)


def resolve_backend(backend: str, device: torch.device, *, on_event: OnEvent = ignore_event) -> str:
    """The backend that `auto` means on a device: raft-large on CUDA where its weights lie, else dis.

    Nothing is downloaded for `auto`. Any other name is returned as it is.
    """
    if backend != "auto":
        return backend
    if device.type != "cuda":
        return "dis"
    (weights,) = weight_files("raft-large")
    if weights.is_file():
        return "raft-large"
    message = f"flow: RAFT's weights are not at {weights}, using dis; --backend raft-large fetches them"
    on_event(Event("notice", message=message))
    return "dis"


def weight_digests(backend: str, *, fetch: bool = False, on_event: OnEvent = ignore_event) -> dict[str, str]:
    """SHA-256 of the weight files of a backend (not auto), by their names.

    Args:
        backend: whose.
        fetch: fetch what is not there yet, so that this run and the next one know the same of it; else what
            is not there is left out.
        on_event: hears of a download.

    Raises:
        WeightsError: the weights cannot be had, or are damaged.
        DeviceError: torch's cache cannot be written.
    """
    from vsodtool.media.fingerprint import file_sha256
    from vsodtool.media.weights.checkpoints import fetch_torchvision_weights

    files = weight_files(backend)
    if fetch and not all(path.is_file() for path in files):
        from vsodtool.models.flow.raft import declared_weights

        fetch_torchvision_weights(
            declared_weights(backend), on_download=lambda line: on_event(Event("notice", message=line))
        )
    return {path.name: file_sha256(path) for path in files if path.is_file()}


def weight_files(backend: str) -> list[Path]:
    """The weight files that a backend (not auto) reads, whether they are there or not."""
    if not backend.startswith("raft-"):
        return []
    from vsodtool.media.weights.checkpoints import torchvision_weights_path
    from vsodtool.models.flow.raft import declared_weights

    return [torchvision_weights_path(declared_weights(backend))]


def _dis(quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    del device, on_event  # DIS runs on the CPU, and gives its result back where the images are
    from vsodtool.models.flow.dis import DisEstimator

    return DisEstimator(quality)


def _raft_small(quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    from vsodtool.models.flow.raft import RaftEstimator

    return RaftEstimator("raft-small", quality=quality, device=device, on_event=on_event)


def _raft_large(quality: str, device: torch.device, on_event: OnEvent) -> FlowEstimator:
    from vsodtool.models.flow.raft import RaftEstimator

    return RaftEstimator("raft-large", quality=quality, device=device, on_event=on_event)


_FACTORIES: dict[str, Callable[[str, torch.device, OnEvent], FlowEstimator]] = {
    "dis": _dis,
    "raft-small": _raft_small,
    "raft-large": _raft_large,
}
