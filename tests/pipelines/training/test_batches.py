"""Which samples make up a batch, their seeds, and what becomes of an error while they are read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import torch

from vsodtool.errors import DataError, DeviceError
from vsodtool.ops.sampling.sample_order import Key
from vsodtool.pipelines.training.batches import read_batches, reader_processes
from vsodtool.pipelines.training.processes import World

CPU = torch.device("cpu")


class Numbers:
    """Sample `index` of round r is 100 r + index; 7 cannot be read."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, key: Key, /) -> int:
        number, index = key
        if index == 7:
            raise DataError("frames/7.npy: expected evidence, found nothing", "delete it")
        return 100 * number + index


def collate(samples: Sequence[int]) -> torch.Tensor:
    return torch.tensor(samples)


def read(keys: list[list[Key]], workers: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    batches = read_batches(Numbers(), keys, collate, seed=seed, workers=workers, device=CPU)
    with closing(batches):
        return [(batch.data.tolist(), batch.seeds) for batch in batches]


KEYS: list[list[Key]] = [[(0, 1), (0, 3)], [(2, 1)], [(1, 9), (0, 0)]]


def test_batches_come_in_order_and_seeds_belong_to_samples() -> None:
    found = read(KEYS, 0)
    assert [data for data, _ in found] == [[1, 3], [201], [109, 0]]
    seeds = [seed for _, some in found for seed in some]
    assert len(set(seeds)) == 5
    assert read([[key] for keys in KEYS for key in keys], 0)[1][1] == [seeds[1]]  # however they are divided
    assert read(KEYS, 0, seed=1)[0][1] != found[0][1]
    assert read(KEYS, 2) == found  # by other processes


class Fatal:
    """Reading it ends the process that reads, as the kernel does where memory is short."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key: Key, /) -> int:
        del key
        os.kill(os.getpid(), signal.SIGKILL)
        return 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
def test_a_reader_that_was_killed_is_no_bug() -> None:
    batches = read_batches(Fatal(), [[(0, 0)]], collate, seed=0, workers=1, device=CPU)
    with closing(batches), pytest.raises(DeviceError, match="a process that reads data has ended"):
        next(batches)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_the_dataset_is_that_error(workers: int) -> None:
    """torch would make a DataError of it whose message is the traceback of the reading process."""
    with pytest.raises(DataError) as caught:
        read([[(0, 1)], [(0, 2), (0, 7)]], workers)
    assert caught.value.message == "frames/7.npy: expected evidence, found nothing"
    assert caught.value.hint == "delete it"


@pytest.mark.parametrize(
    ("wanted", "device", "ranks", "cores", "expected"),
    [
        (3, "cpu", 1, 8, 3),
        (0, "cpu", 1, 64, 1),
        (0, "cuda", 1, 8, 7),
        (0, "cuda", 4, 8, 1),
        (0, "cuda", 1, 64, 12),
    ],
)
def test_readers_beside_a_cpu_that_trains_are_few(
    wanted: int, device: str, ranks: int, cores: int, expected: int
) -> None:
    assert reader_processes(wanted, World(0, ranks, torch.device(device)), cores) == expected


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="signals can be asked for on Linux only")
def test_the_fork_server_does_not_hear_ctrl_c() -> None:
    code = (
        "import signal\n"
        "from multiprocessing import forkserver\n"
        "from pathlib import Path\n"
        "from vsodtool.pipelines.training.batches import _clean_processes\n"
        "_clean_processes()\n"
        "assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())\n"
        "print(Path(f'/proc/{forkserver._forkserver._forkserver_pid}/status').read_text())\n"
    )
    status = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    blocked = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk"))
    assert int(blocked, 16) >> (signal.SIGINT - 1) & 1
