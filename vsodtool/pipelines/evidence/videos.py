"""Labelled videos -> evidence, which a learned densifier is trained on.

Some given labels are seen, as if they were the only ones, and those between them hidden: what `pseudolabel`
would know of each hidden frame is recorded.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from vsodtool.data.evidence.files import write_index
from vsodtool.data.sources.labelled import LabelledFrame as LabelFile
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.crops import read_label
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import stream_intervals, to_channels
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.types import LabelArray

_PIECES = 2  # of work at a time


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
        intervals = stream_intervals(
            source,
            {source.names[position] for position in seen},
            lambda frame: to_channels(_label(video, given[frame.index]), [1]),
            lambda between: [index for index in between if index in given],
            Path(spill),
            shots=video.shots,
        )
        recorder.record(intervals, Workers(pool))
    write_index(place, recorder.files)


def _label(video: LabelledVideo, frame: LabelFile) -> LabelArray:
    """What is salient, as object 1."""
    return read_label(frame.mask, video.encoding).astype(np.uint16)
