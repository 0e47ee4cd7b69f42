"""The locks of a shard: several may write to one output folder, an unsharded run never beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vsodtool.config.shard import Shard
from vsodtool.errors import DeviceError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.lock import Holding, OutputLock, probe


class ShardLocks:
    """The lock of the folder, shared with the other shards, and a lock of the shard's own.

    Take, release and look only inside `gate()`: there one shard at a time begins or ends.
    """

    def __init__(self, layout: OutputLayout, shard: Shard) -> None:
        self._layout, self._shard = layout, shard
        self._held: list[OutputLock] = []

    @contextmanager
    def gate(self) -> Iterator[None]:
        """Wait until no other shard begins or ends, and keep them waiting inside the block."""
        lock = OutputLock(self._layout.gate, wait=True)
        try:
            yield
        finally:
            lock.release()

    def take(self) -> None:
        """Take both locks.

        Raises:
            DeviceError: an unsharded run, the same shard, or shards of another division are at work.
        """
        try:
            self._held.append(OutputLock(self._layout.lock, shared=True))
            for other, path in self._layout.shard_locks().items():
                if other.count != self._shard.count and probe(path) is Holding.HELD:
                    raise DeviceError(
                        f"shard {other} is writing to {self._layout.root}, and divides the videos otherwise "
                        f"than shard {self._shard}",
                        "wait for it, or choose another output folder",
                    )
            self._held.append(OutputLock(self._layout.shard_lock(self._shard)))
        except BaseException:
            self.release()
            raise

    def alone(self) -> bool:
        """Whether certainly no other process is at work here; never where the disk knows no locks."""
        locks = self._layout.shard_locks()
        own = locks.pop(self._shard, None)
        if own is None or probe(own) is not Holding.HELD:
            return False
        return {probe(path) for path in locks.values()} <= {Holding.FREE}

    def check(self) -> None:
        """Require that the folder is still where it was, as `OutputLock.check`."""
        for lock in self._held:
            lock.check()

    def release(self) -> None:
        """Give both locks back; twice is harmless."""
        while self._held:
            self._held.pop().release()
