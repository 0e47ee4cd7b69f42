"""`vsodtool flow`: optical flow between the frames of videos, as files.

OUT/flow/<video>/<direction>/<frame>.<format>      the flow that starts from <frame>
OUT/preview/<video>/<direction>/<frame>.png        its picture, if asked for
OUT/manifest.json
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vsodtool.checks import resolve_device, resolve_workers
from vsodtool.config.schema import FlowConfig
from vsodtool.media.output.layout import OutputLayout, check_output
from vsodtool.media.output.resume import check_resumable, describe_run
from vsodtool.media.output.shard_run import Part
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.models.flow.registry import create_estimator, resolve_backend, weight_digests
from vsodtool.pipelines.fields.pairs import FlowTask, plan_video
from vsodtool.pipelines.fields.work import Engine, compute_flows
from vsodtool.pipelines.running.shards import own_sources, part_of, start, tell_shard, tell_waiting
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event


@dataclass(frozen=True)
class FlowVideoReport:
    """What became of one video.

    Attributes:
        name: of the video.
        frames: that the video announces.
        flows: computed by this run (in a dry run: that would be computed).
        reused: there already, from an earlier run.
        missing: not computed, because a frame did not decode.
        seconds: spent on it.
    """

    name: str
    frames: int
    flows: int
    reused: int
    missing: int
    seconds: float


@dataclass(frozen=True)
class FlowReport:
    """What a run did.

    Attributes:
        backend: the flow backend and its settings.
        output: the folder written to.
        videos: one entry per video.
        losses: what could not be read, one line each; empty if all went well.
        seconds: of the whole run.
        dry_run: nothing was done.
    """

    backend: str
    output: Path
    videos: list[FlowVideoReport] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    seconds: float = 0.0
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The report in JSON types."""
        return {**asdict(self), "output": str(self.output)}


@dataclass(frozen=True)
class _Plan:
    """Everything that is known before the first frame is decoded; `part` says which videos are worked on."""

    config: FlowConfig
    layout: OutputLayout
    videos: list[VideoInput]
    part: Part | None
    sources: list[FrameSource]
    tasks: list[list[FlowTask]]


def run_flow(
    config: FlowConfig,
    *,
    estimator: FlowEstimator | None = None,
    launch: str = "",
    on_event: OnEvent = ignore_event,
) -> FlowReport:
    """Compute the flows of `config.inputs` and write them below `config.output`.

    The same run again continues where it was interrupted: files that are there are not computed again.

    Args:
        config: what to do.
        estimator: used instead of the backend that `config` names.
        launch: of shards, known to all that were started together.
        on_event: hears of progress, notices and losses.

    Raises:
        UsageError: the output folder cannot be used, or was begun with other options.
        DataError: an input cannot be read at all, or has changed since an earlier run.
        WeightsError: a RAFT is asked for whose weights cannot be had.
        DeviceError: the device does not exist, or the output cannot be written.
    """
    started = time.perf_counter()
    plan = _plan(config, launch)
    backend, settings, weights = _identify(config, estimator, on_event)
    manifest = describe_run("flow", settings, plan.videos, {}, weights)
    if config.dry_run:
        check_resumable(plan.layout, manifest, overwrite=config.overwrite)
        return _dry_report(plan, backend, on_event)
    if estimator is None:
        estimator = create_estimator(
            backend, quality=config.quality, device=resolve_device(config.device), on_event=on_event
        )
    engine = Engine.for_backend(estimator, backend, resolve_workers(config.workers))
    report = FlowReport(estimator.name, config.output)
    with start(plan.layout, manifest, plan.part, overwrite=config.overwrite) as state:
        on_event(Event("notice", message=f"flow: {estimator.name}"))
        tell_shard(plan.part, on_event)
        for source, tasks in zip(plan.sources, plan.tasks, strict=True):
            report.videos.append(
                _run_video(config, source, tasks, engine, losses=report.losses, on_event=on_event)
            )
        report = replace(report, seconds=time.perf_counter() - started)
        state.finish_counts(_counts(report), report.seconds)
        tell_waiting(state, on_event)
    return report


def _plan(config: FlowConfig, launch: str) -> _Plan:
    videos = discover_videos(config.inputs)
    given = [Path(text) for text in config.inputs if text != "-"]
    layout = check_output(config.output, [*given, *(video.path for video in videos)])
    everything: list[FrameSource] = [open_frames(video) for video in videos]
    part = part_of(config, everything, launch)
    sources = own_sources(everything, part)
    tasks = [plan_video(source.video.name, source.names, config, layout) for source in sources]
    return _Plan(config, layout, videos, part, sources, tasks)


def _identify(
    config: FlowConfig, estimator: FlowEstimator | None, on_event: OnEvent
) -> tuple[str, dict[str, object], dict[str, str]]:
    """The backend, the options with every `auto` resolved, and the digests of the weights."""
    if estimator is not None:
        return estimator.name, {**asdict(config), "backend": estimator.name}, {}
    device = resolve_device(config.device)
    backend = resolve_backend(config.backend, device, on_event=on_event)
    weights = weight_digests(backend, fetch=not config.dry_run, on_event=on_event)
    return backend, {**asdict(config), "backend": backend, "device": str(device)}, weights


def _run_video(
    config: FlowConfig,
    source: FrameSource,
    tasks: list[FlowTask],
    engine: Engine,
    *,
    losses: list[str],
    on_event: OnEvent,
) -> FlowVideoReport:
    start = time.perf_counter()
    video = source.video.name
    wanted = [task for task in tasks if not task.exists]
    reused = len(tasks) - len(wanted)
    on_event(Event("video", video, done=reused, total=len(tasks)))
    if not tasks:
        text = f"no flow: it has {_count(len(source.names), 'frame')}, and --step is {config.step}"
        on_event(Event("warning", video, text))
    done = 0

    def advance(flows: int) -> None:
        nonlocal done
        done += flows
        on_event(Event("frame", video, done=reused + done, total=len(tasks)))

    if wanted:
        compute_flows(config, source, wanted, engine, advance=advance)
        for loss in source.losses:
            losses.append(f"{video}: frame {loss.frame_name}: {loss.reason}")
            on_event(Event("warning", video, losses[-1]))
    report = FlowVideoReport(
        video, len(source.names), done, reused, len(wanted) - done, time.perf_counter() - start
    )
    on_event(Event("done", video, _sentence(report), done=reused + done, total=len(tasks)))
    return report


def _dry_report(plan: _Plan, backend: str, on_event: OnEvent) -> FlowReport:
    report = FlowReport(backend, plan.config.output, dry_run=True)
    for source, tasks in zip(plan.sources, plan.tasks, strict=True):
        there = 0 if plan.config.overwrite else sum(task.exists for task in tasks)
        video = source.video.name
        report.videos.append(
            FlowVideoReport(video, len(source.names), len(tasks) - there, there, 0, seconds=0.0)
        )
        folders = [task.flow.parent for task in tasks] or [plan.config.output]
        where = os.path.commonpath(folders)  # of both directions, the folder that holds both
        message = f"would compute {_count(len(tasks) - there, 'flow')} with {backend} into {where}"
        on_event(Event("notice", video, message))
    return report


def _counts(report: FlowReport) -> dict[str, dict[str, int]]:
    return {
        video.name: {"frames": video.frames, "flows": video.flows + video.reused, "missing": video.missing}
        for video in report.videos
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(report: FlowVideoReport) -> str:
    parts = [_count(report.flows, "flow")]
    parts += [f"{report.reused} there already"] if report.reused else []
    parts += [f"{report.missing} impossible"] if report.missing else []
    return ", ".join(parts)
