"""Which flows a run of `flow` computes, and the stream of image pairs that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsodtool.config.schema import FlowConfig
from vsodtool.media.output.layout import OutputLayout
from vsodtool.types import Frame

FORWARD, BACKWARD = "forward", "backward"


@dataclass(frozen=True)
class FlowTask:
    """One flow to compute.

    Attributes:
        first: position of the earlier frame of the pair; the other is `step` frames later.
        direction: forward (earlier to later) or backward.
        flow: the flow file, named after the frame that the flow starts from.
        preview: its picture, None if none is wanted.
    """

    first: int
    direction: str
    flow: Path
    preview: Path | None

    @property
    def exists(self) -> bool:
        """Whether all its files are there; they appear only complete."""
        return self.flow.exists() and (self.preview is None or self.preview.exists())


def plan_video(video: str, names: Sequence[str], config: FlowConfig, layout: OutputLayout) -> list[FlowTask]:
    """All flows of one video, in the order in which its frames come.

    Args:
        video: name of the video.
        names: names of its frames, in order.
        config: direction, step, format and preview count.
        layout: where the files go.
    """
    directions = [FORWARD, BACKWARD] if config.direction == "both" else [config.direction]
    tasks = []
    for first in range(max(0, len(names) - config.step)):
        for direction in directions:
            stem = names[first if direction == FORWARD else first + config.step]
            preview = layout.preview(video, stem, direction) if config.preview else None
            flow = layout.flow(video, stem, direction, config.format)
            tasks.append(FlowTask(first, direction, flow, preview))
    return tasks


def stream_pairs(frames: Iterable[Frame], step: int) -> Iterator[tuple[Frame, Frame]]:
    """Pairs of frames that are `step` positions apart, holding at most `step` frames.

    A pair of which one frame is missing in `frames` (it did not decode) is left out.
    """
    window: dict[int, Frame] = {}
    for frame in frames:
        for index in [index for index in window if index < frame.index - step]:
            del window[index]
        earlier = window.pop(frame.index - step, None)
        if earlier is not None:
            yield earlier, frame
        window[frame.index] = frame
