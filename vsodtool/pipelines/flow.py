"""`vsodtool flow`: optical flow between the frames of videos, as files.

OUT/flow/<video>/<direction>/<frame>.<format>      the flow that starts from <frame>
OUT/preview/<video>/<direction>/<frame>.png        its picture, if asked for
OUT/manifest.json
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from vsodtool.checks import resolve_device, resolve_workers
from vsodtool.config import FlowConfig
from vsodtool.models.flow.registry import resolve_backend, weight_digests
from vsodtool.pipelines.densify.quality import motion_estimators
from vsodtool.pipelines.fields.bench import FieldBench, FieldTask
from vsodtool.pipelines.fields.video import Engine, FlowTask, FlowVideoReport, count, plan_video
from vsodtool.pipelines.running.engines import Job
from vsodtool.pipelines.running.reports import RunReport
from vsodtool.pipelines.running.runs import Run, open_run
from vsodtool.pipelines.running.staging.urls import with_urls
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event


@dataclass(frozen=True, kw_only=True)
class FlowReport(RunReport):
    """What a run did.

    Attributes:
        backend: the flow backend and its settings.
    """

    backend: str
    videos: list[FlowVideoReport] = field(default_factory=list)


@with_urls
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
    run = open_run("flow", config, launch=launch, on_event=on_event, by_frame=False)
    tasks = {
        source.video.name: plan_video(source.video.name, source.names, config, run.layout)
        for source in run.sources
    }
    backend, resolved, weights = _identify(config, estimator, on_event)
    manifest = run.manifest(resolved, weights)
    if config.dry_run:
        run.check(manifest)
        return _dry_report(config, run, tasks, backend)
    device = resolve_device(config.device)
    elsewhere = partial(open_bench, config, device.type, backend, estimator)
    used = estimator or motion_estimators(backend, config.quality, device, on_event).adjacent
    engine = Engine.for_backend(used, backend, resolve_workers(config.workers))
    report = FlowReport(backend=used.name, output=config.output)
    on_event(Event("notice", message=f"flow: {used.name}"))
    bench = FieldBench(config, engine, {source.video.name: source for source in run.sources})
    videos = [
        FieldTask(
            source.video,
            len(source.names),
            asked=tuple(path for task in tasks[source.video.name] for path in task.files),
            flows=tasks[source.video.name],
        )
        for source in run.sources
    ]
    with run.begin(manifest) as state:
        return run.work(state, report, Job(videos, bench, elsewhere, device.type))


@contextmanager
def open_bench(
    config: FlowConfig, device: str, backend: str, estimator: FlowEstimator | None, threads: int
) -> Iterator[FieldBench]:
    """What computes flows in a worker.

    Args:
        config: of the run.
        device: kind of device that computes.
        backend: of the flow, not auto.
        estimator: the caller's, as in `run_flow`.
        threads: of the worker.
    """
    used = estimator
    if used is None:  # the motion that `pseudolabel` carries labels along
        used = motion_estimators(backend, config.quality, resolve_device(device), ignore_event).adjacent
    yield FieldBench(config, Engine.for_backend(used, backend, threads))


def _identify(
    config: FlowConfig, estimator: FlowEstimator | None, on_event: OnEvent
) -> tuple[str, dict[str, object], dict[str, str]]:
    """The backend, what `auto` stands for, and the digests of the weights."""
    if estimator is not None:
        return estimator.name, {"backend": estimator.name}, {}
    device = resolve_device(config.device)
    backend = resolve_backend(config.backend, device, on_event=on_event)
    weights = weight_digests(backend, fetch=not config.dry_run, on_event=on_event)
    return backend, {"backend": backend, "device": str(device)}, weights


def _dry_report(
    config: FlowConfig, run: Run, tasks: Mapping[str, list[FlowTask]], backend: str
) -> FlowReport:
    report = FlowReport(backend=backend, output=config.output, dry_run=True)
    for source in run.sources:
        video = source.video.name
        planned = tasks[video]
        there = 0 if config.overwrite else sum(all(path.exists() for path in task.files) for task in planned)
        wanted = len(planned) - there
        report.videos.append(FlowVideoReport(video, len(source.names), wanted, there, 0, seconds=0.0))
        folders = [task.flow.parent for task in planned] or [config.output]
        where = os.path.commonpath(folders)  # of both directions, the folder that holds both
        message = f"would compute {count(wanted, 'flow')} with {backend} into {where}"
        run.on_event(Event("notice", video, message))
    return report
