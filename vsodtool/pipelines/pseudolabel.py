"""`vsodtool pseudolabel`: sparse masks -> a mask for every frame.

OUT/masks/<video>/<frame>.png, with --soft, --confidence and --overlay also soft/, confidence/ and overlay/,
OUT/frames.csv and OUT/manifest.json.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from vsodtool.checks import resolve_device, resolve_workers
from vsodtool.config.schema import PseudoLabelConfig, candidate_methods, resolve_flow
from vsodtool.media.masks.sparse import MaskSet, describe_mapping, match_masks
from vsodtool.media.output.layout import OutputLayout, check_output
from vsodtool.media.output.resume import check_resumable, describe_run
from vsodtool.media.output.shard_run import Part
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.models.flow.registry import resolve_backend, weight_digests
from vsodtool.pipelines.densify.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.label import output_files
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.report import PseudoLabelReport, VideoReport
from vsodtool.pipelines.densify.setup import create_candidates, load_weights
from vsodtool.pipelines.densify.side_by_side import INTERVALS_AT_ONCE, Workers
from vsodtool.pipelines.densify.video import VideoRun
from vsodtool.pipelines.running.allocator import keep_few_kernels, keep_freed_memory
from vsodtool.pipelines.running.shards import (
    own_sources,
    part_of,
    start,
    tell_earlier,
    tell_shard,
    tell_waiting,
)
from vsodtool.types import Event, FlowEstimator, FrameRecord, OnEvent, ignore_event


def run_pseudolabel(
    config: PseudoLabelConfig,
    *,
    estimator: FlowEstimator | None = None,
    generator: Method | None = None,
    candidates: Sequence[Method] = (),
    launch: str = "",
    on_event: OnEvent = ignore_event,
) -> PseudoLabelReport:
    """Make a mask for every frame of `config.inputs` from the few in `config.masks`.

    The same run again continues where it was interrupted, and gives the same result as one that was not.

    Args:
        config: what to do.
        estimator: used for all flows instead of the backend that `config` names.
        generator: used instead of the method that `config` names.
        candidates: several of these; each video gets the one that does best on labels that are hidden from
            them, the first in doubt.
        launch: of shards, known to all that were started together.
        on_event: hears of progress, notices and losses.

    Raises:
        UsageError: the output folder cannot be used, or was begun with other options.
        DataError: an input or a mask is missing, unreadable or does not belong, or changed since an earlier
            run.
        WeightsError: weights are asked for that cannot be had.
        DeviceError: the device does not exist, or the output cannot be written.
    """
    started = time.perf_counter()
    plan = _plan(config, launch, on_event)
    generators = list(candidates) if generator is None else [generator]
    names = [each.name for each in generators] or list(candidate_methods(config))
    method = names[0] if len(names) == 1 and not config.adapt else "auto"
    device = resolve_device(config.device)
    backend = resolve_backend(config.backend, device, on_event=on_event)
    fetch = estimator is None and not config.dry_run
    weights = weight_digests(backend, fetch=fetch, on_event=on_event)
    loaded = load_weights(config, on_event) if not generators else None
    if loaded is not None:
        weights[loaded.name] = loaded.sha256
    flow_name = estimator.name if estimator is not None else backend
    resolved = {"method": method, "flow": resolve_flow(config), "backend": flow_name, "device": str(device)}
    settings = {**asdict(config), **resolved}
    files = {name: list(masks.files.values()) for name, masks in plan.masks.items()}
    manifest = describe_run("pseudolabel", settings, plan.videos, files, weights)
    if config.dry_run:
        check_resumable(plan.layout, manifest, overwrite=config.overwrite)
        return _dry_report(plan, names, flow_name, config.output, on_event)
    way = create_candidates(
        config,
        loaded,
        backend=backend,
        device=device,
        estimator=estimator,
        generators=generators,
        on_event=on_event,
    )
    report = PseudoLabelReport(method, way.flow, config.output)
    on_event(Event("notice", message=f"method: {_told(names)}, flow: {way.flow}"))
    outputs = partial(output_files, config, plan.layout)
    with start(plan.layout, manifest, plan.part, overwrite=config.overwrite, outputs_of=outputs) as state:
        tell_shard(plan.part, on_event)
        tell_earlier(state, plan.sources, on_event)
        records: list[FrameRecord] = []
        with _workers(resolve_workers(config.workers)) as (workers, drivers):
            for source in plan.sources:
                run = VideoRun(
                    config,
                    source,
                    plan.masks[source.video.name],
                    way=way,
                    state=state,
                    on_event=on_event,
                )
                outcome = run.run(workers, drivers)
                records += outcome.records
                report.videos.append(outcome.report)
                report.losses.extend(outcome.losses)
        seconds = time.perf_counter() - started
        if not state.complete:
            state.finish(records, seconds)
        tell_waiting(state, on_event)
    return replace(report, seconds=seconds)


@dataclass(frozen=True)
class _Plan:
    """Everything that is known before work starts; `part` says which of the videos are worked on."""

    layout: OutputLayout
    videos: list[VideoInput]
    part: Part | None
    sources: list[FrameSource]
    masks: Mapping[str, MaskSet]


def _plan(config: PseudoLabelConfig, launch: str, on_event: OnEvent) -> _Plan:
    videos = discover_videos(config.inputs)
    given = [Path(text) for text in config.inputs if text != "-"]
    layout = check_output(config.output, [*given, *(video.path for video in videos)], config.masks)
    everything: list[FrameSource] = [open_frames(video) for video in videos]
    part = part_of(config, everything, launch)
    masks = match_masks(config.masks, everything, config.every)
    for line in describe_mapping(masks):
        on_event(Event("notice", message=line))
    return _Plan(layout, videos, part, own_sources(everything, part), masks)


def _told(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"auto ({' or '.join(names)})"


def _dry_report(
    plan: _Plan, names: list[str], flow: str, output: Path, on_event: OnEvent
) -> PseudoLabelReport:
    reports = []
    for source in plan.sources:
        masks = plan.masks[source.video.name]
        given, frames = len(masks.files), len(source.names)
        report = VideoReport(source.video.name, frames, given, frames - given, 0, 0.0, 0.0, names[0])
        if len(names) > 1:
            trial = schedule_trial(source, masks)
            hidden = [source.names[test.hidden] for test in trial.tests]
            told = f"{' or '.join(names)}, tried on the hidden labels {', '.join(hidden)}"
            untold = f"method {names[0]}, {trial.reason}"
            on_event(Event("notice", source.video.name, told if hidden else untold))
            report = replace(report, method="" if hidden else names[0], hidden=hidden)
        reports.append(report)
    return PseudoLabelReport(names[0] if len(names) == 1 else "auto", flow, output, reports, dry_run=True)


@contextmanager
def _workers(count: int) -> Iterator[tuple[Workers, ThreadPoolExecutor]]:
    """Threads for the pieces of work, and threads that each drive one interval.

    One torch thread per piece: side by side they use the cores better than torch's own threads, which would
    wait for each other.
    """
    keep_freed_memory()
    keep_few_kernels()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            ThreadPoolExecutor(count, "work") as pool,
            ThreadPoolExecutor(INTERVALS_AT_ONCE, "interval") as drivers,
        ):
            yield Workers(pool), drivers
    finally:
        torch.set_num_threads(threads)
