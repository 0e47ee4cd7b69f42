"""Labelled videos -> evidence, which a learned densifier is trained on.

Some given labels are seen, as if they were the only ones, and those between them hidden: what `pseudolabel`
would know of each hidden frame is recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vsodtool.data.evidence.files import write_index
from vsodtool.data.sources.labelled import LabelledFrame as LabelFile
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.crops import read_label
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_channels
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.types import Frame, LabelArray

_PIECES = 2  # of work at a time

Given = Mapping[int, LabelFile]  # by position in the video


def seen_labels(video: LabelledVideo, gap: int) -> set[int]:
    """Positions of the given labels that are seen: every `gap`-th, and the last; the others are hidden."""
    positions = sorted(frame.position for frame in video.given)
    return {*positions[::gap], positions[-1]}


def record_video(video: LabelledVideo, gap: int, maker: GuessMaker, place: Path) -> None:
    """Evidence about all hidden frames of a video; the index is written last.

    Args:
        video: no stills. What is salient is one object, as for a detector.
        gap: at least 1.
        maker: makes the first guesses.
        place: folder for it; the labelled frames go to `frames` beside it.

    Raises:
        DataError: a file cannot be read any more.
        DeviceError: the disk is full or refuses.
    """
    given = {frame.position: frame for frame in video.given}
    seen = seen_labels(video, gap)

    def truth(index: int) -> LabelArray | None:
        return _label(video, given[index]) if index in given else None

    recorder = EvidenceRecorder(
        video.name,
        maker,
        truth,
        maps=place,
        frames=place.parent / "frames",
        named=lambda index: f"{given[index].name} (every {gap}th)",  # a frame is hidden once for each gap
    )
    source = open_frames(discover_videos([str(video.place)])[0])
    with tempfile.TemporaryDirectory() as spill, ThreadPoolExecutor(_PIECES, "record") as pool:
        for job in _jobs(source, video, given, seen, Path(spill)):
            recorder.record(job, Workers(pool))
    write_index(place, recorder.files)


def _jobs(
    source: FrameSource, video: LabelledVideo, given: Given, seen: set[int], spill: Path
) -> Iterator[Interval]:
    """The intervals between neighbouring labels that are seen."""
    left: LabelledFrame | None = None
    targets: list[int] = []
    store = FrameStore(source, spill)
    for frame in source:
        if frame.index in seen:
            right = _labelled(frame, video, given)
            if any(index in given for index in targets):
                passed = [index for index in targets if index not in given]
                yield Interval(left, right, [i for i in targets if i in given], store, passed)
            left, targets, store = right, [], FrameStore(source, spill)
        elif left is not None:
            targets.append(frame.index)
            store.put(frame)


def _labelled(frame: Frame, video: LabelledVideo, given: Given) -> LabelledFrame:
    label = _label(video, given[frame.index])
    return LabelledFrame(frame.index, frame.name, frame.rgb, to_channels(label, [1]))


def _label(video: LabelledVideo, frame: LabelFile) -> LabelArray:
    """What is salient, as object 1."""
    return read_label(frame.mask, video.encoding).astype(np.uint16)
