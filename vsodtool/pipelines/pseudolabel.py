"""`vsodtool pseudolabel`: sparse masks -> a mask for every frame.

OUT/masks/<video>/<frame>.png, with --soft, --confidence and --overlay also soft/, confidence/ and overlay/,
OUT/frames.csv and OUT/manifest.json.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.checks import resolve_workers
from vsodtool.config import PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.annotations.label_images import objects_json, read_objects_json
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.masks.sparse import MaskFolder, MaskSet, describe_mapping, match_masks
from vsodtool.media.output.changes import ChangedMasksError
from vsodtool.media.output.clearing import holds_object_names
from vsodtool.media.output.edits import find_edits
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import Manifest, read_manifest
from vsodtool.media.output.object_names import read_added_objects
from vsodtool.media.output.written import read_records
from vsodtool.media.video.frames import FrameSource
from vsodtool.models.architecture import FUSED
from vsodtool.models.evidence.architecture import DENSIFIER
from vsodtool.pipelines.densify.adapt import Adapt
from vsodtool.pipelines.densify.bench import LabelBench, LabelTask
from vsodtool.pipelines.densify.dry_run import foresee, reckon
from vsodtool.pipelines.densify.filling.far import Follows
from vsodtool.pipelines.densify.filling.label import output_files
from vsodtool.pipelines.densify.mask_fit import check_fits
from vsodtool.pipelines.densify.method import Method
from vsodtool.pipelines.densify.report import PseudoLabelVideoReport
from vsodtool.pipelines.densify.setup import Setup
from vsodtool.pipelines.densify.updating.edits import take_edits
from vsodtool.pipelines.densify.updating.stale import (
    StaleInterval,
    describe_changes,
    find_stale_of_run,
    tell_stale,
)
from vsodtool.pipelines.densify.updating.tools import Tools
from vsodtool.pipelines.running.engines import Job
from vsodtool.pipelines.running.given_masks import GivenMasks, KnownObjects, given_masks, with_masks
from vsodtool.pipelines.running.reports import RunReport
from vsodtool.pipelines.running.runs import Run, open_run
from vsodtool.pipelines.running.shots import Cuts, resolve_cuts
from vsodtool.pipelines.running.staging.urls import with_urls
from vsodtool.types import Event, FlowEstimator, OnEvent, ignore_event

if TYPE_CHECKING:  # networks bring torchvision, which `--method warp` does not need
    from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
    from vsodtool.pipelines.densify.filling.small_interval import Saliency


@dataclass(frozen=True, kw_only=True)
class PseudoLabelReport(RunReport):
    """What a run did.

    Attributes:
        method: that made the labels; "auto" where one was chosen for each video.
        flow: the flow backends and their settings; of a dry run only the backend where it would be fetched.
    """

    method: str
    flow: str
    videos: list[PseudoLabelVideoReport] = field(default_factory=list)


@with_urls
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
    methods = list(candidates) if generator is None else [generator]
    with Tools(config, adaptation_of, tracking_of, estimator=estimator, methods=methods) as tools:
        return label_videos(config, tools, launch=launch, on_event=on_event)


def label_videos(
    config: PseudoLabelConfig,
    tools: Tools,
    *,
    launch: str = "",
    on_event: OnEvent = ignore_event,
    overlays: bool = True,
) -> PseudoLabelReport:
    """As `run_pseudolabel`, with what is there already.

    Args:
        config: what to do.
        tools: made for this configuration.
        launch: as there.
        on_event: as there.
        overlays: make those that are asked for; else they are left to the next run.
    """
    places = [Path(text) for text in config.masks]
    run = _open(config, tools, launch, on_event)
    with given_masks(config, places, run.opened, on_event, _known_objects(run.layout)) as given:
        return _densify(run, config, given, tools, overlays=overlays)


def find_stale_intervals(config: PseudoLabelConfig, tools: Tools) -> list[StaleInterval]:
    """What `label_videos` would make again of a finished run, in the order of the videos; nothing is decoded.

    Raises:
        DataError: an input or a mask is missing, unreadable or does not belong.
    """
    run = _open(config, tools, "", ignore_event)
    places = [Path(text) for text in config.masks]
    known = _known_objects(run.layout)
    with given_masks(config, places, run.opened, ignore_event, known) as given:
        cuts = resolve_cuts(config.cuts, run.opened)
        masks = _match(run, config, given, tools, find_edits(run.layout, tools.intact))
        of_videos = find_stale_of_run(run, masks, cuts)
        return [interval for _, stale in of_videos for interval in stale]


def _open(config: PseudoLabelConfig, tools: Tools, launch: str, on_event: OnEvent) -> Run:
    places = [Path(text) for text in config.masks]

    def choose(opened: list[FrameSource]) -> list[FrameSource]:
        chosen = with_masks(config, places, opened) if config.only_masked else opened
        if len(chosen) < len(opened):
            names = [source.video.name for source in chosen]
            shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            on_event(Event("notice", message=f"{len(chosen)} of {len(opened)} videos have masks: {shown}"))
        return chosen

    run = open_run("pseudolabel", config, launch=launch, on_event=on_event, masks=places, choose=choose)
    return replace(run, opened=[tools.source(source) for source in run.opened])


def _densify(
    run: Run, config: PseudoLabelConfig, given: GivenMasks, tools: Tools, *, overlays: bool
) -> PseudoLabelReport:
    on_event = run.on_event
    edits = find_edits(run.layout, tools.intact) if config.update else []
    masks = _match(run, config, given, tools, edits)  # refused before anything is moved
    if not config.update:
        _tell_masks(run, masks)
        corrections = MaskFolder(run.layout.corrections, corrections=True)
        if corrections.folders(list(masks), alone=False)[0]:
            text = f"the masks in {corrections.path} are left out: --update takes them"
            on_event(Event("notice", message=text))
    setup = tools.setup(on_event)
    cuts = resolve_cuts(config.cuts, run.opened)
    resolved = {**setup.resolved, "cuts_sha256": cuts.digest}
    manifest = run.manifest(resolved, setup.weights, _files(masks))
    _check(run, manifest, masks, update=config.update)
    if edits and take_edits(run, dry_run=config.dry_run):
        masks = _match(run, config, given, tools)
        manifest = run.manifest(resolved, setup.weights, _files(masks))
    if config.update:
        _tell_masks(run, masks)
        if not config.overwrite:
            tell_stale(run, masks, cuts)
    known = {} if config.overwrite else _known_doubts(run.layout, manifest)
    doubts = check_fits(_unseen(run) if config.update else run.sources, masks, config, on_event, known)
    if run.part is None:  # shards write one manifest, and each knows of its own videos only
        manifest = replace(manifest, doubts={**known, **doubts})
    if config.dry_run:
        method = setup.names[0] if len(setup.names) == 1 else "auto"
        videos = reckon(run, masks, foresee(run, masks, setup, doubts, cuts), tools, cuts)
        # Nothing is fetched for its settings.
        flow = tools.candidates(on_event).flow if setup.is_whole else setup.flow
        return PseudoLabelReport(
            method=method, flow=flow, output=run.layout.root, dry_run=True, videos=videos
        )
    made_by = tools.candidates(on_event)
    report = PseudoLabelReport(method=setup.method, flow=made_by.flow, output=config.output)
    on_event(Event("notice", message=f"method: {_in_words(setup.names)}, flow: {made_by.flow}"))
    outputs = partial(output_files, config, run.layout)
    shown = config if overlays else replace(config, overlay=False)
    sources = {source.video.name: source for source in run.sources}
    job = Job(
        [
            _task(source, masks[name], doubts.get(name, ()), cuts.alone(name), run.layout)
            for name, source in sources.items()
        ],
        LabelBench(shown, tools, made_by, sources),
        partial(open_bench, shown, setup.device.type, tools.estimator, tools.methods),
        setup.device.type,
        outputs,
    )
    with run.begin(manifest, outputs, update=config.update) as state:
        _write_names(run.layout, given, config)
        return run.work(state, report, job)


def _task(
    source: FrameSource, masks: MaskSet, doubts: Sequence[str], cuts: Cuts, layout: OutputLayout
) -> LabelTask:
    name = source.video.name
    return LabelTask(
        source.video,
        len(source.names),
        divisible=not source.is_cut,  # else each part would decode all of it, and tell its loss
        asked=(layout.overlay(name), layout.adapted(name)),
        masks=masks,
        doubts=doubts,
        cuts=cuts,
    )


@contextmanager
def open_bench(
    config: PseudoLabelConfig,
    device: str,
    estimator: FlowEstimator | None,
    methods: Sequence[Method],
    threads: int,
) -> Iterator[LabelBench]:
    """What labels videos in a worker.

    Args:
        config: of the run.
        device: kind of device that computes.
        estimator: the caller's, as in `run_pseudolabel`.
        methods: the caller's.
        threads: of the worker.
    """
    own = replace(config, device=device, workers=threads)
    with Tools(own, adaptation_of, tracking_of, estimator=estimator, methods=methods) as tools:
        yield LabelBench(own, tools, tools.candidates(ignore_event))


def _match(
    run: Run, config: PseudoLabelConfig, given: GivenMasks, tools: Tools, edits: Collection[Path] = ()
) -> dict[str, MaskSet]:
    """The masks to be used; edits are masks in OUT that will be corrections."""
    corrections = [MaskFolder(run.layout.corrections, corrections=True)] if config.update else []
    if edits:
        folder = run.layout.root / "masks"
        corrections.append(MaskFolder(folder, corrections=True, only=frozenset(edits)))
    places = [*given.folders, *corrections]
    return match_masks(places, run.opened, config.every, config.void, inspected=tools.inspected)


def _write_names(layout: OutputLayout, given: GivenMasks, config: PseudoLabelConfig) -> None:
    """OUT/objects.json, where objects have names; with --update also those that they had."""
    named = read_objects_json(layout.objects) if config.update and not config.overwrite else {}
    for video, infos in given.named.items():
        named[video] = {**named.get(video, {}), **infos}
    if given.labelled or named:
        write_bytes_atomically(layout.objects, objects_json(given.labelled, named))
    elif config.overwrite and holds_object_names(layout):
        with disk_errors(layout.objects):
            layout.objects.unlink()  # names of masks that are not these


def _known_objects(layout: OutputLayout) -> KnownObjects:
    """The objects of an earlier run: its ids stand in corrections, which outlive it."""
    if not layout.manifest.is_file():
        return KnownObjects()
    return KnownObjects(read_objects_json(layout.objects), read_added_objects(layout))


def _files(masks: Mapping[str, MaskSet]) -> dict[str, list[Path]]:
    return {name: list(of_video.files.values()) for name, of_video in masks.items()}


def _check(run: Run, manifest: Manifest, masks: Mapping[str, MaskSet], *, update: bool) -> None:
    """Refuse what `begin` would, and name masks that changed."""
    try:
        run.check(manifest, update=update)
    except ChangedMasksError as error:
        source = next(each for each in run.opened if each.video.name == error.video)
        records = read_records(run.layout).get(error.video, {})
        changes = describe_changes(masks[error.video], source.names, records)
        raise DataError(f"{error.message}: {changes}" if changes else error.message, error.hint) from error


def _known_doubts(layout: OutputLayout, manifest: Manifest) -> dict[str, list[str]]:
    """What an earlier run told of masks that are still the same, on frames that are the same."""
    before = read_manifest(layout.manifest)
    if before is None:
        return {}
    same = {name for name, entry in manifest.inputs.items() if before.inputs.get(name) == entry}
    return {name: lines for name, lines in before.doubts.items() if name in same}


def _unseen(run: Run) -> list[FrameSource]:
    """The videos that the run there was begun without: an update takes them in addition."""
    before = read_manifest(run.layout.manifest)
    seen = () if before is None else before.inputs.keys()
    return [source for source in run.sources if source.video.name not in seen]


def _tell_masks(run: Run, masks: Mapping[str, MaskSet]) -> None:
    for line in describe_mapping(masks):
        run.on_event(Event("notice", message=line))
    for name, of_video in masks.items():
        for line in of_video.encoding.warnings:
            run.on_event(Event("warning", name, line))


def adaptation_of(setup: Setup) -> Adapt | None:
    """What fine-tunes the network on each video; None where that is not asked for."""
    if setup.adaptable is None:
        return None
    from vsodtool.pipelines.training.adapt import Adaptation

    return Adaptation(setup.adaptable, setup.config.adapt, setup.config.seed)


def tracking_of(setup: Setup) -> Follows | None:
    """What follows objects far from masks; None where that is not asked for. Loaded when it is needed."""
    if not setup.tracking:
        return None
    from vsodtool.models.detector.detector import Detector
    from vsodtool.models.inference.precision import resolve_precision
    from vsodtool.pipelines.densify.filling.tracking import Tracker
    from vsodtool.pipelines.detect.frames import detect_frames
    from vsodtool.pipelines.networks.load import load_network

    looks, detector = setup.tracking
    threads = resolve_workers(setup.config.workers)

    def backbone() -> EfficientNetLiteBackbone:
        return load_network(looks, (DENSIFIER,)).network.backbone

    def saliency() -> Saliency:
        loaded = load_network(detector, (FUSED,))
        # "auto" of a detector asks for more than is needed here: the same maps on noise, too.
        precision = resolve_precision("auto", setup.device)
        network = Detector(loaded.network, loaded.preprocessing, device=setup.device, precision=precision)
        return partial(detect_frames, network, threads=threads)

    return Tracker(backbone, saliency, setup.device)


def _in_words(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"auto ({' or '.join(names)})"
