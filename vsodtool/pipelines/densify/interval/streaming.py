"""A video, decoded once and in order, as the intervals between its labels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from vsodtool.errors import DataError
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.pipelines.densify.interval.interval import Interval
from vsodtool.pipelines.densify.interval.labelled_frame import LabelledFrame
from vsodtool.types import Frame


@dataclass
class Reading:
    """An interval of which some frames have come by.

    Attributes:
        left: the labelled frame before them, None before the first label of a shot.
        frames: holds them.
        indices: of them, ascending.
    """

    left: LabelledFrame | None
    frames: FrameStore
    indices: list[int] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        """The next frame."""
        self.indices.append(frame.index)
        self.frames.put(frame)

    def end(self, right: LabelledFrame | None, targets: Collection[int]) -> Interval:
        """The interval with these of its frames to be filled, the others passed."""
        wanted = frozenset(targets)
        passed = [index for index in self.indices if index not in wanted]
        return Interval(
            self.left, right, [index for index in self.indices if index in wanted], self.frames, passed
        )


def stream_intervals(
    source: FrameSource,
    labelled: Collection[str],
    labels_of: Callable[[Frame], Tensor],
    targets_of: Callable[[list[int]], Collection[int]],
    spill_folder: Path,
    *,
    shots: Shots = ONE_SHOT,
    frames: Iterable[Frame] | None = None,
) -> Iterator[Interval]:
    """Decode a video once and yield its intervals that have something to fill.

    No interval goes across a cut. A labelled frame that does not decode cannot carry its label anywhere: the
    interval goes on past it.

    Args:
        source: the video.
        labelled: names of its labelled frames.
        labels_of: the label of one of these, see `LabelledFrame`.
        targets_of: those of the frames between two labels that are to be filled.
        spill_folder: where frames of long intervals are put aside; the receiver closes `interval.frames`.
        shots: of the video.
        frames: those of its frames that matter, in order; None: all.

    Raises:
        DataError: none of the labelled frames decodes, or something cannot be read.
    """
    reading = Reading(None, FrameStore(source, spill_folder))
    shot, any_label = 0, False

    def end(right: LabelledFrame | None) -> Iterator[Interval]:
        nonlocal reading
        done, reading = reading, Reading(right, FrameStore(source, spill_folder))
        targets = targets_of(done.indices)
        if targets:
            yield done.end(right, targets)
        else:
            done.frames.close()

    try:
        for frame in source if frames is None else frames:
            if shots.of(frame.index) != shot:
                shot = shots.of(frame.index)
                yield from end(None)
            if frame.name in labelled:
                any_label = True
                yield from end(LabelledFrame(frame.index, frame.name, frame.rgb, labels_of(frame)))
            else:
                reading.add(frame)
        if not any_label and frames is None:
            raise DataError(
                f"{source.video.path}: none of its {len(labelled)} labelled frames decodes",
                "check the video, or label other frames",
            )
        yield from end(None)
    finally:
        reading.frames.close()
