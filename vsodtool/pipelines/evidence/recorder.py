"""A generator that writes down what it is shown: how evidence for training comes about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vsodtool.data.evidence.files import EvidenceFile, write_array
from vsodtool.ops.confidence import to_bytes
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.method import FrameMethod, Wants
from vsodtool.pipelines.densify.methods.learned import object_maps
from vsodtool.pipelines.densify.motion import MotionEstimators
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ImageArray, LabelArray


class GuessMaker(NamedTuple):
    """What makes the first guess while evidence is recorded.

    Attributes:
        estimators: of the flow.
        rules: make the first guess.
    """

    estimators: MotionEstimators
    rules: FrameMethod


class EvidenceRecorder:
    """Writes down evidence about frames whose label is known, object by object."""

    name = "recorder"
    wants = Wants.BOXES

    def __init__(
        self,
        video: str,
        maker: GuessMaker,
        truth: Callable[[int], LabelArray | None],
        *,
        maps: Path,
        frames: Path,
        object_ids: Sequence[int] = (1,),
        named: Callable[[int], str] = str,
    ) -> None:
        """Begin with nothing.

        Args:
            video: its name.
            maker: makes the first guesses.
            truth: the object ids (H, W) of a frame by its index; None for frames that are not recorded.
            maps: folder for evidence.
            frames: folder for the labelled frames, of which those that are there already stay.
            object_ids: the ids by channel.
            named: the name of a frame by its index.
        """
        self._video, self._maker, self._truth, self._named = video, maker, truth, named
        self._maps, self._frames, self._ids = maps, frames, object_ids
        self._found: dict[tuple[int, int], EvidenceFile] = {}
        self._lock = threading.Lock()

    @property
    def files(self) -> list[EvidenceFile]:
        """What was recorded, in the order of the frames."""
        return [self._found[key] for key in sorted(self._found)]

    def record(self, intervals: Iterable[Interval], workers: Workers) -> None:
        """Record the targets of intervals, and close their frames.

        Raises:
            DeviceError: the disk is full or refuses.
        """

        def record_one(interval: Interval) -> None:
            densify(interval, [self], self._maker.estimators, workers=workers, on_label=lambda _, __: None)

        workers.each(intervals, record_one)

    def generate(self, evidence: Evidence) -> SoftLabel:
        """Write it down; what comes back is the first guess."""
        guess = self._maker.rules.generate(evidence)
        truth = self._truth(evidence.index)
        if truth is None or len(evidence.sides) == 1:  # a label beside it may not have decoded
            return guess
        before, after = evidence.sides
        for number, present in enumerate(evidence.present):
            if not present:
                continue
            channel = evidence.interval.objects[number]
            stem = f"{evidence.index}-{channel}"
            maps = self._maps / f"{stem}.npy"
            write_array(maps, to_bytes(object_maps(evidence, number, guess.labels))[0].cpu().numpy())
            ends = [
                self._frame(known.index, channel, known.rgb, known.labels[0, number].cpu().numpy() > 0)
                for known in (before.known, after.known)
            ]
            hidden = self._frame(evidence.index, channel, evidence.rgb, truth == self._ids[channel])
            file = EvidenceFile(
                video=self._video,
                name=self._named(evidence.index),
                maps=maps,
                origin=evidence.box.origin,
                before=ends[0],
                hidden=hidden,
                after=ends[1],
                distances=(before.distance, after.distance),
            )
            with self._lock:
                self._found[evidence.index, channel] = file
        return guess

    def _frame(self, index: int, channel: int, rgb: ImageArray, label: npt.NDArray[np.bool_]) -> Path:
        path = self._frames / f"{index}-{channel}.npy"
        with self._lock:
            if not path.is_file():
                opaque = label.astype(np.uint8)[None] * np.uint8(255)
                write_array(path, np.concatenate([rgb.transpose(2, 0, 1), opaque]))
        return path
