"""Frames of a video in order -> intervals to fill, as soon as their second label has come by."""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import FrameSource
from vsodtool.pipelines.densify.interval import IntervalJob, LabelledFrame, to_channels


def stream_intervals(
    source: FrameSource,
    masks: MaskSet,
    finished: Set[str],
    spill_folder: Path,
) -> Iterator[IntervalJob]:
    """Decode a video once and yield its intervals that are not finished.

    A labelled frame that does not decode cannot carry its label anywhere: the interval goes on past it.

    Args:
        source: the video.
        masks: its masks.
        finished: names of frames that need no work.
        spill_folder: where frames of long intervals are put aside; the receiver closes `job.frames`.
    """
    labelled = set(masks.names)
    left: LabelledFrame | None = None
    targets: list[tuple[int, str]] = []
    store = FrameStore(source, spill_folder)

    def close_interval(right: LabelledFrame | None) -> Iterator[IntervalJob]:
        nonlocal store, targets
        # An interval is made whole or not at all: its frames need each other.
        if all(name in finished for _, name in targets):
            store.close()
        else:
            yield IntervalJob(left, right, [index for index, _ in targets], store)
        store, targets = FrameStore(source, spill_folder), []

    try:
        for frame in source:
            if frame.name not in labelled:
                targets.append((frame.index, frame.name))
                store.put(frame)
                continue
            labels = to_channels(masks.read(frame.name), masks.object_ids)
            right = LabelledFrame(frame.index, frame.name, frame.rgb, labels)
            yield from close_interval(right)
            left = right
        if left is None:
            raise DataError(
                f"{source.video.path}: none of its {len(labelled)} labelled frames decodes",
                "check the video, or label other frames",
            )
        yield from close_interval(None)
    finally:
        store.close()
