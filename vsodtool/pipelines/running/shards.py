"""How a pipeline does its part of the videos, and only that (`--shard I/N`, torchrun)."""

from __future__ import annotations

from collections.abc import Sequence

from vsodtool.config.schema import ShardedConfig
from vsodtool.config.shard import Shard
from vsodtool.errors import UsageError
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.resume import ResumeState, start_or_resume
from vsodtool.media.output.shard_run import Part, ShardState, start_shard
from vsodtool.media.video.frames import FrameSource
from vsodtool.ops.sampling.split import split_by_weight
from vsodtool.types import Event, OnEvent


def part_of(config: ShardedConfig, sources: Sequence[FrameSource], launch: str = "") -> Part | None:
    """What this process does of the run: the videos are divided so that all parts have about as many frames.

    Args:
        config: its `shard` says which part.
        sources: all videos of the run.
        launch: known to all processes that were started together; "" if nothing started them together.

    Returns:
        None if it does everything.

    Raises:
        UsageError: `overwrite` is asked of shards that cannot know which of them comes first.
    """
    if not config.shard:
        return None
    shard = Shard.parse(config.shard)
    if shard.count == 1:
        return None
    if config.overwrite and not launch:
        raise UsageError(
            f"--overwrite with --shard {shard}: shards cannot agree which of them clears the output folder",
            "delete it before you start them, or choose another one with -o",
        )
    frames = {source.video.name: source.names for source in sources}
    division = split_by_weight({video: len(names) for video, names in frames.items()}, shard.count)
    return Part(shard, frames, frozenset(division[shard.index - 1]), launch if config.overwrite else "")


def own_sources(sources: Sequence[FrameSource], part: Part | None) -> list[FrameSource]:
    """The videos that this process works on, in their order."""
    return [source for source in sources if part is None or source.video.name in part.own]


def start(
    layout: OutputLayout,
    manifest: Manifest,
    part: Part | None,
    *,
    overwrite: bool = False,
    outputs_of: OutputsOf | None = None,
) -> ResumeState:
    """`start_or_resume` for a whole run, `start_shard` for a part of one."""
    if part is None:
        return start_or_resume(layout, manifest, overwrite=overwrite, outputs_of=outputs_of)
    return start_shard(layout, manifest, part, overwrite=overwrite, outputs_of=outputs_of)


def tell_shard(part: Part | None, on_event: OnEvent) -> None:
    """Before work starts: which part of the videos this is."""
    if part is not None:
        text = f"shard {part.shard}: {len(part.own)} of {len(part.frames)} videos"
        on_event(Event("notice", message=text))


def tell_earlier(state: ResumeState, sources: Sequence[FrameSource], on_event: OnEvent) -> None:
    """Before work starts: what earlier runs did of the videos that this process works on."""
    if state.complete:
        on_event(Event("notice", message="an earlier run finished all of this: nothing left to do"))
    elif state.resumed:
        done = sum(len(state.finished(source.video.name)) for source in sources)
        if done or not isinstance(state, ShardState):  # another shard of this run may just have begun it
            on_event(Event("notice", message=f"continuing an earlier run: {done} frames are finished"))


def tell_waiting(state: ResumeState, on_event: OnEvent) -> None:
    """When work has ended: what other shards still have to do."""
    waiting = state.waiting_for() if isinstance(state, ShardState) else []
    if waiting:
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        text = f"this shard is done; the others still have {waiting[0]}{more} to do"
        on_event(Event("notice", message=text))
