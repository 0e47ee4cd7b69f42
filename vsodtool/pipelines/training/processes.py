"""The processes of one training run: one by itself, or several started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from vsodtool.checks import resolve_device, whole_number
from vsodtool.errors import ConfigError, DeviceError

_PATIENCE = timedelta(hours=2)  # a rank may wait while another validates or saves


@dataclass(frozen=True)
class World:
    """This process among those of the run.

    Attributes:
        rank: from 0; the first one writes and speaks.
        size: number of processes.
        device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes and speaks."""
        return self.rank == 0

    @property
    def is_parallel(self) -> bool:
        """Whether there are others."""
        return self.size > 1

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the processes; every one gets it."""
        if not self.is_parallel:
            return values
        total = values.to(self.device, copy=True)
        distributed.all_reduce(total)
        return total.to(values.device) / self.size

    def gather(self, value: Any) -> list[Any]:
        """The picklable values of all processes, in their order; every one gets them."""
        if not self.is_parallel:
            return [value]
        values = [None] * self.size
        distributed.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Until every process is here."""
        if self.is_parallel:
            distributed.all_reduce(torch.zeros(1, device=self.device))

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """The first process runs the block before the others do."""
        if not self.is_main:
            self.wait()
        yield
        if self.is_main:
            self.wait()


@contextmanager
def join_world(device: str) -> Iterator[World]:
    """Meet the other processes that torchrun started (environment RANK, WORLD_SIZE, LOCAL_RANK).

    NCCL connects GPUs, gloo everything else. With `auto` or `cuda`, each process takes the GPU of its own
    LOCAL_RANK.

    Raises:
        ConfigError: the environment of torchrun is incomplete, or one GPU is asked for by several processes.
        DeviceError: the device does not exist, or another process of the run has gone.
    """
    rank, size = _number("RANK", 0), _number("WORLD_SIZE", 1)
    if size == 1:
        yield World(0, 1, resolve_device(device))
        return
    if device.startswith("cuda:"):
        raise ConfigError(
            f"device: '{device}' is one GPU, and {size} processes were started", "say --device cuda"
        )
    resolved = resolve_device(device)
    if resolved.type == "cuda":
        resolved = resolve_device(f"cuda:{_number('LOCAL_RANK', 0)}")
        torch.cuda.set_device(resolved)
    with _lost_processes():
        backend = "nccl" if resolved.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=_PATIENCE)
        try:
            yield World(rank, size, resolved)
        finally:
            distributed.destroy_process_group()


@contextmanager
def _lost_processes() -> Iterator[None]:
    """Say in one line that another process of the run has gone; torch says it in many ways."""
    signs = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL", "gloo")
    try:
        yield
    except (distributed.DistError, RuntimeError) as error:
        if isinstance(error, distributed.DistError) or any(sign in str(error) for sign in signs):
            raise DeviceError(
                f"another process of this run has gone: {str(error).splitlines()[0][:120]}",
                "look at its messages; run the same command again to continue from the last checkpoint",
            ) from error
        raise


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    number = whole_number(text)
    if number is None:
        raise ConfigError(
            f"environment {name}: expected a whole number, found '{text}'", "start with torchrun"
        )
    return number
