"""Labelled videos -> evidence, which a learned densifier is trained on.

Some given labels are seen, as if they were the only ones, and those between them hidden: what `pseudolabel`
would know of each hidden frame is recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Container, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsodtool.data.labelled import LabelledFrame as LabelFile
from vsodtool.data.labelled import LabelledVideo
from vsodtool.media.crops import read_label
from vsodtool.media.frame_store import FrameStore
from vsodtool.media.frames import FrameSource, open_frames
from vsodtool.media.inputs import discover_videos
from vsodtool.ops.confidence import to_bytes
from vsodtool.pipelines.densify import densify_interval
from vsodtool.pipelines.generator import Evidence, Generated, Generator
from vsodtool.pipelines.interval import IntervalJob, LabelledFrame, Workers, to_channels
from vsodtool.pipelines.learned_evidence import object_maps
from vsodtool.pipelines.motion import MotionPlan
from vsodtool.types import Frame

Given = Mapping[int, LabelFile]  # by position in the video


@dataclass(frozen=True)
class Recorded:
    """Evidence about one hidden frame; frames are positions in the video.

    Attributes:
        maps: uint8 (MAPS, h, w) on a box of the frame, see `ops.evidence_maps`.
        top: first row of the box, as `left` is its first column.
        left: see above.
        before: the labelled frame before it.
        hidden: itself.
        after: the labelled frame after it.
    """

    maps: npt.NDArray[np.uint8]
    top: int
    left: int
    before: int
    hidden: int
    after: int


def record_evidence(
    video: LabelledVideo, gap: int, plan: MotionPlan, rules: Generator, workers: Workers
) -> Iterator[Recorded]:
    """Evidence about all given frames of a video but every `gap`-th and the last.

    Args:
        video: no stills. What is salient is one object, as for a detector.
        gap: at least 1.
        plan: the flow estimators.
        rules: make the first guess.
        workers: do the heavy pieces.
    """
    given = {frame.position: frame for frame in video.given}
    positions = sorted(given)
    seen = {*positions[::gap], positions[-1]}
    source = open_frames(discover_videos([str(video.place)])[0])
    with tempfile.TemporaryDirectory() as spill:
        for job in _jobs(source, video, given, seen, Path(spill)):
            recorder = EvidenceRecorder(given, rules)
            with closing(job.frames):
                densify_interval(job, plan, recorder, workers=workers, on_frame=lambda _: None)
            yield from sorted(recorder.found, key=lambda part: part.hidden)


def _jobs(
    source: FrameSource, video: LabelledVideo, given: Given, seen: set[int], spill: Path
) -> Iterator[IntervalJob]:
    """The intervals between neighbouring labels that are seen."""
    left: LabelledFrame | None = None
    targets: list[int] = []
    store = FrameStore(source, spill)
    for frame in source:
        if frame.index in seen:
            right = _labelled(frame, video, given)
            if any(index in given for index in targets):
                yield IntervalJob(left, right, targets, store)
            left, targets, store = right, [], FrameStore(source, spill)
        elif left is not None:
            targets.append(frame.index)
            store.put(frame)


def _labelled(frame: Frame, video: LabelledVideo, given: Given) -> LabelledFrame:
    label = read_label(given[frame.index].mask, video.encoding).astype(np.uint16)
    return LabelledFrame(frame.index, frame.name, frame.rgb, to_channels(label, [1]))


class EvidenceRecorder:
    """A generator that writes down what it is shown of some frames, for the first object."""

    name = "recorder"
    whole_frames = False

    def __init__(self, wanted: Container[int], rules: Generator) -> None:
        """Begin with nothing.

        Args:
            wanted: indices of the frames to write down.
            rules: make the first guess.
        """
        self.found: list[Recorded] = []
        self._wanted = wanted
        self._rules = rules

    def generate(self, evidence: Evidence) -> Generated:
        """Write it down; what comes back is the first guess."""
        guess = self._rules.generate(evidence)
        if evidence.index in self._wanted:
            maps = to_bytes(object_maps(evidence, 0, guess.labels))[0].numpy()
            before, after = (side.known.index for side in evidence.sides)
            origin = evidence.box.origin
            self.found.append(Recorded(maps, *origin, before, evidence.index, after))
        return guess
