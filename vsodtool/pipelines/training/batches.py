"""Datasets -> batches: which samples, read by which processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from vsodtool.errors import DeviceError, VsodtoolError
from vsodtool.media.images import use_one_thread
from vsodtool.ops.sampling.sample_order import Key
from vsodtool.pipelines.running.process import keep_freed_memory
from vsodtool.pipelines.training.interrupt import ignore_in_worker
from vsodtool.pipelines.training.process_files import clear_abandoned, own_process_files
from vsodtool.pipelines.training.processes import World

_AHEAD = 4  # batches that each process has ready
_POLITENESS = 10  # niceness; trainings of FGPLG on two cores do 7 % more steps with it


class KeyedDataset(Protocol):
    """A dataset whose samples are a function of (round, index)."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, key: Key, /) -> Any:
        """The sample `index`, as it looks in that round."""
        ...


class Batch(NamedTuple):
    """Collated samples.

    Attributes:
        data: a ClipBatch or an FgplgBatch.
        seeds: of what is random about each sample inside the network.
    """

    data: Any
    seeds: list[int]


class Collate(Protocol):
    """Several samples -> one batch."""

    def __call__(self, samples: Sequence[Any], /) -> Any:
        """Stack the samples."""
        ...


class _Seeded(Dataset[tuple[int, Any] | VsodtoolError]):
    """The samples together with their seeds."""

    def __init__(self, dataset: KeyedDataset, seed: int) -> None:
        self._dataset, self._seed = dataset, seed

    def __getitem__(self, key: Key) -> tuple[int, Any] | VsodtoolError:
        number = np.random.SeedSequence([self._seed, *key]).generate_state(2, np.uint32)
        try:
            sample = self._dataset[key]
        except VsodtoolError as error:
            # As a value: torch would make another exception of it, with a traceback for a message.
            return type(error)(error.message, error.hint)
        return int(number[0]) << 31 | int(number[1]) >> 1, sample


class _Collated:
    def __init__(self, collate: Collate) -> None:
        self._collate = collate

    def __call__(self, pairs: Sequence[tuple[int, Any] | VsodtoolError]) -> Batch | VsodtoolError:
        errors = [pair for pair in pairs if isinstance(pair, VsodtoolError)]
        if errors:
            return errors[0]
        good = [pair for pair in pairs if not isinstance(pair, VsodtoolError)]
        return Batch(self._collate([sample for _, sample in good]), [seed for seed, _ in good])


class _Keys:
    """What DataLoader takes for a batch sampler."""

    def __init__(self, keys: Iterable[list[Key]]) -> None:
        self._keys = keys

    def __iter__(self) -> Iterator[list[Key]]:
        return iter(self._keys)


def reader_processes(wanted: int, world: World, cores: int) -> int:
    """How many processes read data for each process that trains.

    Args:
        wanted: 0 chooses: on a CPU one, beside the threads that compute; else the cores are shared.
        world: the processes that train.
        cores: of this machine.
    """
    return wanted or (1 if world.device.type == "cpu" else max(min(cores // world.size - 1, 12), 1))


def read_batches(
    dataset: KeyedDataset,
    keys: Iterable[list[Key]],
    collate: Collate,
    *,
    seed: int,
    workers: int,
    device: torch.device,
) -> Generator[Batch]:
    """The batches with these keys, in order; read ahead by `workers` processes, by this one if 0.

    Close it: the processes end then. They are deaf to SIGTERM, by which Python would end them at exit.

    Raises:
        VsodtoolError: what the dataset raised.
        DeviceError: a process that reads has gone.
    """
    more: dict[str, Any] = {}
    if workers:
        more = {
            "prefetch_factor": _AHEAD,
            "worker_init_fn": partial(_begin_worker, polite=device.type == "cpu"),
            "multiprocessing_context": _clean_processes(),
        }
    with warnings.catch_warnings():
        # More processes than cores are the user's choice.
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        loader = DataLoader(
            _Seeded(dataset, seed),
            batch_sampler=_Keys(keys),
            collate_fn=_Collated(collate),
            num_workers=workers,
            pin_memory=device.type == "cuda",
            **more,
        )
        try:
            batches = iter(loader)
        except KeyboardInterrupt:
            _end_fork_server()
            raise
    try:
        while True:
            try:
                batch = next(batches, None)
            except RuntimeError as error:  # torch has no class of its own for it
                if "DataLoader worker" not in str(error):
                    raise
                raise DeviceError(
                    "a process that reads data has ended: it was killed, or memory did not suffice",
                    "run the same command again to continue; fewer --workers need less memory, "
                    "and /dev/shm must hold some batches for each",
                ) from error
            if batch is None:
                break
            if isinstance(batch, VsodtoolError):
                raise batch
            yield batch
    finally:
        # An exception may hold on to `batches`, so that the processes are not ended by forgetting it.
        end = getattr(batches, "_shutdown_workers", None)
        if end is not None:
            end()


def _clean_processes() -> BaseContext:
    """How processes are started: never as a copy of this one.

    A copy would hold the locks of threads of OpenCV and OpenMP that it has not, and could wait for them for
    ever. Where there is a fork server, it imports once what all of them need.
    """
    own_process_files()
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vsodtool.pipelines.training.kinds"])
    _start_fork_server()
    return context


def _start_fork_server() -> None:
    """Start it deaf to Ctrl-C, which a terminal sends to it too: it would show a traceback while it loads."""
    resource_tracker.ensure_running()  # its start, which is part of the other's, lets Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_fork_server() -> None:
    """While it loads: it would start a process that nobody waits for any more, which shows a traceback."""
    server = getattr(forkserver, "_forkserver", None)
    pid = getattr(server, "_forkserver_pid", None)  # private; where it is not, there may be that traceback
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _begin_worker(number: int, *, polite: bool) -> None:
    """Prepare a process that reads; a polite one gives way to the threads that compute on the same cores."""
    del number
    ignore_in_worker()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    use_one_thread()
    keep_freed_memory()
    if polite and hasattr(os, "nice"):
        os.nice(_POLITENESS)


def _end_with_parent() -> None:
    """Wait until the process that trains has ended, however it ended.

    torch's own readers look at the process that started them, and that is the fork server.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        clear_abandoned()
        os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
