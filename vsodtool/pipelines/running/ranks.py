"""The processes that one torchrun started: who this one is, and what they tell each other."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, TypeVar

from vsodtool.checks import resolve_workers
from vsodtool.config import ShardedConfig
from vsodtool.config.shard import Shard
from vsodtool.errors import DeviceError

C = TypeVar("C", bound=ShardedConfig)

_PAUSE = 0.1  # seconds between two looks whether somebody has said something
_CHUNK = 1 << 20  # bytes; torch's store takes values of at most 8 MiB
_WHOLE = Shard(1, 1)


@dataclass(frozen=True)
class Rank:
    """This process among those of one torchrun.

    Attributes:
        number: among all, from 0.
        count: of all.
        local: number among those of this machine, from 0.
        local_count: of those of this machine.
    """

    number: int
    count: int
    local: int
    local_count: int

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Rank | None:
        """Read what torchrun sets for its processes; None if it did not start this one, or only this one."""
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        # Other launchers set some of these too; a rank without torchrun's store could not find the others.
        if "TORCHELASTIC_RUN_ID" not in environ or any(name not in environ for name in names):
            return None
        rank = cls(*(int(environ[name]) for name in names))
        return rank if rank.count > 1 else None


def share_of(config: C, rank: Rank) -> C:
    """The options of one rank: its part of the videos, its device, its part of the cores.

    `cuda` is the device of the rank's local number. So is `auto` where there are CUDA devices; if there are
    fewer than ranks, they are shared.
    """
    import torch

    shard = Shard.parse(config.shard) if config.shard else _WHOLE
    device, present = config.device, torch.cuda.device_count()
    if device == "cuda":
        device = f"cuda:{rank.local}"
    elif device == "auto" and present:
        device = f"cuda:{rank.local % present}"
    workers = config.workers or max(1, resolve_workers(0) // rank.local_count)
    return replace(config, shard=str(shard.part(rank.number, rank.count)), device=device, workers=workers)


class Store(Protocol):
    """What is used of torch.distributed.Store."""

    def set(self, key: str, value: str, /) -> None:
        """Set the value of a key."""
        ...

    def get(self, key: str, /) -> bytes:
        """The value of a key that has one."""
        ...

    def check(self, keys: list[str], /) -> bool:
        """Whether all keys have values."""
        ...

    def compare_set(self, key: str, expected: str, desired: str, /) -> bytes:
        """With "" expected: set the value if there is none; returns the value that then holds."""
        ...


class Board:
    """Texts under names that all ranks see, kept by torchrun itself: it outlives each of its processes.

    Every method raises DeviceError if torchrun cannot be reached any more.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def of_torchrun(cls) -> Board:
        """The board of the torchrun that started this process."""
        return cls(_connect())

    def post(self, name: str, text: str) -> None:
        """Write a text for the others."""
        chunks = [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]
        with _contact():
            for index, chunk in enumerate(chunks):
                self._store.set(f"{_key(name)}/{index}", chunk)
            self._store.set(_key(name), str(len(chunks)))

    def has(self, name: str) -> bool:
        """Whether somebody has posted a text of that name."""
        with _contact():
            return self._store.check([_key(name)])

    def read(self, name: str) -> str:
        """A text that somebody has posted."""
        with _contact():
            count = int(self._store.get(_key(name)))
            return "".join(self._store.get(f"{_key(name)}/{index}").decode() for index in range(count))

    def wait(self, names: Sequence[str]) -> str:
        """Wait, however long it takes, for a text of one of these names; returns that name."""
        while True:
            for name in names:
                if self.has(name):
                    return name
            time.sleep(_PAUSE)

    def agree(self, name: str, proposal: str) -> str:
        """What the first rank proposed under that name; `proposal` must not be empty."""
        with _contact():
            return self._store.compare_set(_key(name), "", proposal).decode()


@cache
def _connect() -> Store:
    from torch.distributed.rendezvous import rendezvous

    with _contact():
        store, _, _ = next(rendezvous("env://"))
    found: Store = store
    return found


@contextmanager
def _contact() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # of which torch's DistError is one
        reason = (str(error).splitlines() or [""])[0]
        raise DeviceError(f"lost contact with torchrun: {reason}", "run the same command again") from error


def _key(name: str) -> str:
    return f"vsodtool/{name}"
