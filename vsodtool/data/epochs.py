"""Which epoch it is, known to the worker processes of a data loader too."""

from __future__ import annotations

import numpy as np
import torch

from vsodtool.media.threads import use_one_thread


class EpochSeed:
    """Chance as a function of (seed, epoch, index), so that an interrupted run repeats the same samples."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        # In shared memory: persistent workers keep the copy of the data set that they were started with.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """From 0."""
        return int(self._epoch.item())

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def generator(self, index: int) -> np.random.Generator:
        """The generator of one sample of this epoch."""
        return np.random.default_rng([self._seed, self.epoch, index])


def init_worker(worker: int) -> None:
    """For `worker_init_fn` of a DataLoader: one thread each, and no OpenCV threads across a fork."""
    del worker
    torch.set_num_threads(1)
    use_one_thread()
