"""What the first side of an interval said about its frames, kept until the second side comes by."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from vsodtool.media.spill import FrameSpill
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.fusion import hypothesis
from vsodtool.pipelines.densify.interval import IntervalJob
from vsodtool.pipelines.densify.method import Side


class SideStore:
    """Sides by frame: maps as bytes and flows in half precision, in memory or for long intervals on disk.

    Args:
        job: the interval.
        with_flow: keep the flows too.
    """

    def __init__(self, job: IntervalJob, *, with_flow: bool = False) -> None:
        self._job = job
        self._maps = _Shelf(job)
        self._flows = _Shelf(job) if with_flow else None

    def put(self, index: int, side: Side) -> None:
        """Keep a side; frames may be put from several threads."""
        ways = (side.carried, side.refined)
        parts = [part for way in ways for part in (way.labels, way.image)]
        self._maps.put(index, to_bytes(torch.cat([*parts, side.carried.consistency], dim=1)).numpy())
        if self._flows is not None:
            assert side.flow is not None
            self._flows.put(index, side.flow.half().numpy())

    def take(self, index: int, image: Tensor) -> Side:
        """What was put, and forget it; `image` is the target frame on its box."""
        values = torch.from_numpy(self._maps.take(index)).float() / 255
        known = self._job.known
        count = known.labels.shape[1]
        labels, view, again, view_again, consistency = torch.split(values, [count, 3, count, 3, 1], dim=1)
        return Side(
            known,
            abs(index - known.index),
            hypothesis(labels, consistency, image, view),
            hypothesis(again, consistency, image, view_again),
            None if self._flows is None else torch.from_numpy(self._flows.take(index)).float(),
        )

    def close(self) -> None:
        """Forget everything."""
        self._maps.close()
        if self._flows is not None:
            self._flows.close()


class _Shelf:
    """Arrays by index, each taken once."""

    def __init__(self, job: IntervalJob) -> None:
        self._spill: FrameSpill | None = job.frames.spill() if job.frames.is_long else None
        self._held: dict[int, npt.NDArray[Any]] = {}

    def put(self, index: int, array: npt.NDArray[Any]) -> None:
        if self._spill is None:
            self._held[index] = array
        else:
            self._spill.put(index, array)

    def take(self, index: int) -> npt.NDArray[Any]:
        if self._spill is None:
            return self._held.pop(index)
        array = self._spill.get(index)
        self._spill.discard(index)
        return array

    def close(self) -> None:
        if self._spill is not None:
            self._spill.close()
