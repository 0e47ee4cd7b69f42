"""`vsodtool pseudolabel`: sparse masks -> a mask for every frame.

OUT/masks/<video>/<frame>.png, with --soft, --confidence and --overlay also soft/, confidence/ and overlay/,
OUT/frames.csv and OUT/manifest.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vsodtool.checks import resolve_workers
from vsodtool.config import PseudoLabelConfig
from vsodtool.media.annotations.label_images import objects_json
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.masks.sparse import MaskSet, describe_mapping, match_masks
from vsodtool.pipelines.densify.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.interval import SparseVideo
from vsodtool.pipelines.densify.label import output_files
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.setup import Setup, create_candidates, prepare
from vsodtool.pipelines.densify.side_by_side import INTERVALS_AT_ONCE, Workers
from vsodtool.pipelines.densify.video import Adapt, PseudoLabelVideoReport, VideoDensification
from vsodtool.pipelines.running.given_masks import GivenMasks, given_masks
from vsodtool.pipelines.running.process import keep_few_kernels, keep_freed_memory, torch_threads
from vsodtool.pipelines.running.reports import RunReport
from vsodtool.pipelines.running.runs import Run, open_run
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event


@dataclass(frozen=True, kw_only=True)
class PseudoLabelReport(RunReport):
    """What a run did.

    Attributes:
        method: that made the labels; "auto" where one was chosen for each video.
        flow: the flow backends and their settings.
    """

    method: str
    flow: str
    videos: list[PseudoLabelVideoReport] = field(default_factory=list)


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
    places = [Path(text) for text in config.masks]
    run = open_run("pseudolabel", config, launch=launch, on_event=on_event, masks=places)
    methods = list(candidates) if generator is None else [generator]
    with given_masks(config, places, run.opened, on_event) as given:
        return _densify(run, config, given, estimator, methods)


def _densify(
    run: Run,
    config: PseudoLabelConfig,
    given: GivenMasks,
    estimator: FlowEstimator | None,
    methods: Sequence[Method],
) -> PseudoLabelReport:
    on_event = run.on_event
    masks = match_masks(given.folders, run.opened, config.every, config.void)
    for line in describe_mapping(masks):
        on_event(Event("notice", message=line))
    for name, of_video in masks.items():
        for line in of_video.encoding.warnings:
            on_event(Event("warning", name, line))
    setup = prepare(config, estimator=estimator, methods=methods, on_event=on_event)
    files = {name: list(of_video.files.values()) for name, of_video in masks.items()}
    manifest = run.manifest(setup.resolved, setup.weights, files)
    if config.dry_run:
        run.check(manifest)
        return _dry_report(run, masks, setup)
    made_by = create_candidates(setup, on_event)
    adapt = _adaptation(setup)
    report = PseudoLabelReport(method=setup.method, flow=made_by.flow, output=config.output)
    on_event(Event("notice", message=f"method: {_in_words(setup.names)}, flow: {made_by.flow}"))
    outputs = partial(output_files, config, run.layout)
    with run.begin(manifest, outputs) as state, _workers(resolve_workers(config.workers)) as workers:
        if given.labelled:
            write_bytes_atomically(run.layout.objects, objects_json(given.labelled))
        return run.work(
            state,
            report,
            lambda source: VideoDensification(
                SparseVideo(source, masks[source.video.name], run.layout.root),
                state,
                on_event,
                config=config,
                candidates=made_by,
                workers=workers,
                adapt=adapt,
            ).run(),
        )


def _adaptation(setup: Setup) -> Adapt | None:
    if setup.adaptable is None:
        return None
    from vsodtool.pipelines.training.adapt import Adaptation

    return Adaptation(setup.adaptable, setup.config.adapt, setup.config.seed)


def _in_words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"auto ({' or '.join(names)})"


def _dry_report(run: Run, masks: Mapping[str, MaskSet], setup: Setup) -> PseudoLabelReport:
    names = setup.names
    method = names[0] if len(names) == 1 else "auto"
    report = PseudoLabelReport(method=method, flow=setup.flow, output=run.layout.root, dry_run=True)
    for source in run.sources:
        video, frames = source.video.name, len(source.names)
        given = len(masks[video].files)
        of_video = PseudoLabelVideoReport(video, frames, given, frames - given, 0, 0.0, 0.0, names[0])
        if len(names) > 1:
            trial = schedule_trial(source, masks[video])
            hidden = [source.names[test.hidden] for test in trial.tests]
            text = f"method {names[0]}, {trial.reason}"
            if hidden:
                text = f"{' or '.join(names)}, tried on the hidden labels {', '.join(hidden)}"
            run.on_event(Event("notice", video, text))
            of_video = replace(of_video, method="" if hidden else names[0], hidden=hidden)
        report.videos.append(of_video)
    return report


@contextmanager
def _workers(count: int) -> Iterator[Workers]:
    """Threads for the pieces of work, and threads that each drive one interval.

    One torch thread per piece: side by side they use the cores better than torch's own threads, which would
    wait for each other.
    """
    keep_freed_memory()
    keep_few_kernels()
    with (
        torch_threads(1),
        ThreadPoolExecutor(count, "work") as pool,
        ThreadPoolExecutor(INTERVALS_AT_ONCE, "interval") as drivers,
    ):
        yield Workers(pool, drivers)
