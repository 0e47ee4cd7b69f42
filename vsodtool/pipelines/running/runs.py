"""A run over videos: its inputs opened, its output folder taken, its videos worked on, its report made.

What the verbs `flow`, `pseudolabel` and `predict` have in common. A verb says what it makes of one video;
where each frame gets files of its own, `video_run.py` does the most of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from vsodtool.config import ShardedConfig
from vsodtool.config.shard import Shard
from vsodtool.errors import UsageError
from vsodtool.media.output.clearing import Cleared, find_cleared
from vsodtool.media.output.earlier_run import OutputsOf
from vsodtool.media.output.layout import OutputLayout, check_output
from vsodtool.media.output.manifest import Manifest
from vsodtool.media.output.resume import check_resumable, describe_run, start_or_resume
from vsodtool.media.output.run_state import ResumeState
from vsodtool.media.output.shard_run import Part, ShardState, start_shard
from vsodtool.media.video.frame_names import check_case_of, check_frame_names
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos, expand_inputs
from vsodtool.ops.sampling.split import split_by_weight
from vsodtool.pipelines.running.engines import ENGINES, Job
from vsodtool.pipelines.running.lost import describe_losses
from vsodtool.pipelines.running.reports import Outcome, RunReport
from vsodtool.types import Event, OnEvent

R = TypeVar("R", bound=RunReport)


@dataclass(frozen=True)
class Run:
    """What is known of a run before it touches its output folder.

    Attributes:
        command: the verb.
        config: its options.
        layout: where its files go.
        opened: the videos of the whole run.
        part: which of them this process works on; None is all.
        on_event: hears of progress, notices and losses.
        started: when the run began, as `time.perf_counter` counts.
        by_frame: it makes a table of frames and knows from its journal which of them are finished.
    """

    command: str
    config: ShardedConfig
    layout: OutputLayout
    opened: list[FrameSource]
    part: Part | None
    on_event: OnEvent
    started: float
    by_frame: bool = True

    @property
    def sources(self) -> list[FrameSource]:
        """The videos that this process works on, in their order."""
        part = self.part
        return [source for source in self.opened if part is None or source.video.name in part.own]

    def manifest(
        self,
        resolved: Mapping[str, object],
        weights: Mapping[str, str],
        masks: Mapping[str, Sequence[Path]] | None = None,
    ) -> Manifest:
        """What the run is about to do.

        Args:
            resolved: options that say more than the configuration does, as what `auto` stands for.
            weights: SHA-256 by name.
            masks: the mask files in use by video.

        Raises:
            DataError: an input or a mask has gone or cannot be read.
        """
        settings = {**asdict(self.config), **resolved}
        videos = [source.video for source in self.opened]
        return describe_run(self.command, settings, videos, masks or {}, weights)

    def check(self, manifest: Manifest, *, update: bool = False) -> None:
        """Refuse to continue what another run began, as `begin` would; writes nothing.

        A dry run tells what `--overwrite` would delete.
        """
        overwrite = self.config.overwrite
        before = check_resumable(self.layout, manifest, overwrite=overwrite, update=update)
        if before is not None and overwrite and self.config.dry_run:
            cleared = find_cleared(self.layout)
            if cleared.edits:
                count = len(cleared.edits)
                masks = "1 mask" if count == 1 else f"{count} masks"
                self._notice(f"--overwrite would move {masks} edited by hand to the corrections")
            self._tell_cleared(cleared, "would delete")

    @contextmanager
    def begin(
        self, manifest: Manifest, outputs_of: OutputsOf | None = None, *, update: bool = False
    ) -> Iterator[ResumeState]:
        """Hold the output folder, to begin or to continue what an earlier run left there.

        Args:
            manifest: of this run.
            outputs_of: the files that a frame of this record must have.
            update: continue although masks changed or videos came since.

        Raises:
            UsageError: the folder was begun with other options.
            DataError: an input has changed since an earlier run.
            DeviceError: another run is writing there, or the folder cannot be written.
        """
        overwrite = self.config.overwrite
        if self.part is None:
            names = {source.video.name: source.names for source in self.opened} if self.by_frame else None
            state = start_or_resume(
                self.layout,
                manifest,
                overwrite=overwrite,
                update=update,
                outputs_of=outputs_of,
                frames=names,
            )
        else:
            state = start_shard(self.layout, manifest, self.part, overwrite=overwrite, outputs_of=outputs_of)
        with state:
            if self.part is not None:
                self._notice(f"shard {self.part.shard}: {len(self.part.own)} of {len(self.opened)} videos")
            if state.cleared is not None:
                self._tell_cleared(state.cleared, "deleted")
            self._tell_edits(state)
            if self.by_frame and (state.complete or not update):
                self._tell_earlier(state)
            yield state

    def work(self, state: ResumeState, report: R, job: Job[Any]) -> R:
        """Have the engine work on the videos of this process, and finish the run if all could be made.

        A video is asked nothing of the others, and nothing of the output folder but through its state.

        Args:
            state: the output folder.
            report: without videos, losses and seconds.
            job: what there is to do.

        Returns:
            The whole report; what could not be made stands among its losses.

        Raises:
            DataError: the only video of the run is refused.
            VsodtoolError: what concerns the whole run, as a full disk.
        """
        result = ENGINES[self.config.engine].work(self.config, job, state, self.on_event)
        if len(self.opened) == 1:
            for error in result.refused.values():
                raise error
        outcomes = [result.outcomes[task.name] for task in job.tasks if task.name in result.outcomes]
        seconds = time.perf_counter() - self.started
        if not result.failed:
            self._finish(state, outcomes, seconds)
        self._tell_waiting(state)
        losses = [line for outcome in outcomes for line in outcome.losses]
        not_made = [task.name for task in job.tasks if task.name in result.failed]
        losses += [result.failed[name] for name in not_made]
        videos = [each.report for each in outcomes]
        return replace(report, videos=videos, losses=losses, not_made=not_made, seconds=seconds)

    def _finish(self, state: ResumeState, outcomes: Sequence[Outcome[Any]], seconds: float) -> None:
        if not self.by_frame:
            state.finish_counts({outcome.report.name: outcome.counts for outcome in outcomes}, seconds)
        elif state.complete:
            state.settle()
        else:
            state.finish([record for outcome in outcomes for record in outcome.records], seconds)

    def _tell_cleared(self, cleared: Cleared, verb: str) -> None:
        text = str(cleared)
        if text:
            self._notice(f"--overwrite {verb} {text}")

    def _tell_edits(self, state: ResumeState) -> None:
        """Name the masks that somebody drew on: they are theirs."""
        for kept, each in state.aside.items():
            name, now = (path.relative_to(self.layout.root) for path in (each.path, kept))
            found, expected = (f"{width}x{height}" for height, width in (each.found, each.expected))
            text = f"{name}: {found}, expected {expected}: made again; what lay there is {now} now"
            self.on_event(Event("warning", message=text))
        for paths, moved in ((state.edits, False), (state.moved, True)):
            if paths:
                one = len(paths) == 1
                fate = "moved to the corrections" if moved else f"left as {'it is' if one else 'they are'}"
                shown = ", ".join(str(path.relative_to(self.layout.root)) for path in paths[:3])
                more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
                masks = "1 mask was" if one else f"{len(paths)} masks were"
                text = f"{masks} edited by hand and {fate}: {shown}{more}"
                if self.command == "pseudolabel":
                    text += f"; --update takes {'it' if one else 'them'} over"
                self.on_event(Event("warning", message=text))

    def _tell_earlier(self, state: ResumeState) -> None:
        if state.complete:
            self._notice("an earlier run finished all of this: nothing left to do")
        elif state.resumed:
            done = sum(len(state.finished(source.video.name)) for source in self.sources)
            if done or self.part is None:  # another shard of this run may just have begun it
                self._notice(f"continuing an earlier run: {done} frames are finished")

    def _tell_waiting(self, state: ResumeState) -> None:
        waiting = state.waiting_for() if isinstance(state, ShardState) else []
        if waiting:
            more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
            self._notice(f"this shard is done; the others still have {waiting[0]}{more} to do")

    def _notice(self, text: str) -> None:
        self.on_event(Event("notice", message=text))


def open_run(
    command: str,
    config: ShardedConfig,
    *,
    launch: str,
    on_event: OnEvent,
    masks: Iterable[Path] = (),
    choose: Callable[[list[FrameSource]], list[FrameSource]] = list,
    by_frame: bool = True,
) -> Run:
    """Open the inputs of a run and look at its output folder; nothing is written.

    Args:
        command: the verb.
        config: its options.
        launch: of shards, known to all that were started together.
        on_event: hears of progress, notices and losses.
        masks: what must not be written to besides the inputs.
        choose: which of the inputs to work on.
        by_frame: see `Run`.

    Raises:
        UsageError: the output folder cannot be used, shards are to clear it that cannot agree on it, or names
            of videos or frames would be one there.
        DataError: an input is missing or unreadable.
        DeviceError: the output folder is not writable, or the engine does not answer.
    """
    started = time.perf_counter()
    if not config.dry_run:
        ENGINES[config.engine].check(config)
    given = list(expand_inputs(config.inputs))
    videos = discover_videos(given, on_event=on_event)
    check_frame_names(videos)
    layout = check_output(config.output, [*map(Path, given), *(video.path for video in videos)], masks)
    check_case_of(config.output, videos)
    opened = choose([open_frames(video) for video in videos])
    part = _part_of(config, opened, launch)
    return Run(command, config, layout, opened, part, on_event, started, by_frame)


def _part_of(config: ShardedConfig, sources: Sequence[FrameSource], launch: str) -> Part | None:
    """What this process does of the run (`--shard I/N`, torchrun): parts have about as many frames.

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


def tell_notes(source: FrameSource, on_event: OnEvent) -> None:
    """What is worth knowing of how a video is read, as notices."""
    for line in source.notes:
        on_event(Event("notice", source.video.name, f"{source.video.name}: {line}"))


def tell_losses(source: FrameSource, on_event: OnEvent, but: Collection[str] = ()) -> list[str]:
    """A line for each thing that the latest iteration over a video could not read, also as warnings.

    Args:
        source: the video.
        on_event: hears of them.
        but: lines that were told before.
    """
    name = source.video.name
    lines = [f"{name}: {line}" for line in describe_losses(source)]
    lines = [line for line in lines if line not in but]
    for line in lines:
        on_event(Event("warning", name, line))
    return lines
