"""`vsodtool predict`: videos that nobody labelled -> the saliency of every frame.

OUT/soft/<video>/<frame>.png, with --masks and --overlay also masks/ and overlay/, OUT/frames.csv and
OUT/manifest.json.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from vsodtool.checks import resolve_device, resolve_workers
from vsodtool.config import PredictConfig
from vsodtool.models.architecture import FUSED, IMAGE, VIDEO
from vsodtool.models.detector.detector import Detector
from vsodtool.models.detector.mirrored import MirroredDetector
from vsodtool.models.u2net.architecture import U2NET
from vsodtool.pipelines.detect.bench import DetectBench, DetectTask
from vsodtool.pipelines.detect.clips import Batching
from vsodtool.pipelines.detect.video import Pools, PredictVideoReport, is_smoothed, output_files
from vsodtool.pipelines.networks.load import load_network
from vsodtool.pipelines.running.engines import Job
from vsodtool.pipelines.running.process import keep_freed_memory, torch_threads
from vsodtool.pipelines.running.reports import RunReport
from vsodtool.pipelines.running.runs import Run, open_run
from vsodtool.pipelines.running.shots import resolve_cuts
from vsodtool.pipelines.running.staging.urls import with_urls
from vsodtool.types import Event, OnEvent, ignore_event

_GROUP_ON_CPU, _GROUP_ON_GPU = 1, 16  # frames that are encoded, or decoded, together
_FRAMES_ON_GPU = 32  # frames of clips that are related together, if the user leaves it open
_CALLS_ON_GPU = 2  # one prepares its launches while the other waits for results
_MOST_STREAMS = 16  # on a CPU; each holds the intermediate results of a group


@dataclass(frozen=True, kw_only=True)
class PredictReport(RunReport):
    """What a run did.

    Attributes:
        weights: name of the weights.
        device: that computed.
        precision: that it computed in: fp32, bf16 or fp16.
    """

    weights: str
    device: str
    precision: str
    videos: list[PredictVideoReport] = field(default_factory=list)


@dataclass(frozen=True)
class _Network:
    """What computes, and how it is called in the manifest."""

    detector: Detector
    name: str
    weights: dict[str, str]


@with_urls
def run_predict(
    config: PredictConfig,
    *,
    detector: Detector | None = None,
    launch: str = "",
    on_event: OnEvent = ignore_event,
) -> PredictReport:
    """Write the saliency of every frame of `config.inputs` below `config.output`.

    The same run again continues where it was interrupted, and gives the same result as one that was not.

    Args:
        config: what to do.
        detector: used instead of the weights, size, mirror, device and precision that `config` names.
        launch: of shards, known to all that were started together.
        on_event: hears of progress, notices and losses.

    Raises:
        UsageError: the output folder cannot be used, or was begun with other options.
        DataError: an input is missing or unreadable, or changed since an earlier run.
        WeightsError: the weights cannot be had or used.
        DeviceError: the device does not exist, memory does not suffice, or the output cannot be written.
    """
    run = open_run("predict", config, launch=launch, on_event=on_event)
    given = detector
    network = _load(config, on_event) if detector is None else _Network(detector, "detector", {})
    detector = network.detector
    workers = resolve_workers(config.workers)
    batching = resolve_batching(config, detector, workers)
    cuts = resolve_cuts(config.cuts, run.opened)
    resolved = {
        "cuts_sha256": cuts.digest,
        "weights": network.name,  # however its path is spelt
        "device": str(detector.device),
        "precision": detector.precision,
        "size": detector.size,
        "smooth": "on" if is_smoothed(config, detector) else "off",
        "stride": config.stride or config.clip_length,
        "batch": batching.clips,
    }
    manifest = run.manifest(resolved, network.weights)
    report = PredictReport(
        weights=network.name,
        device=str(detector.device),
        precision=detector.precision,
        output=config.output,
    )
    if config.dry_run:
        run.check(manifest)
        return _dry_report(report, run)
    on_event(Event("notice", message=_describe(network.name, detector, batching, config)))
    outputs = partial(output_files, config, run.layout)
    tasks = [
        DetectTask(
            source.video,
            len(source.names),
            divisible=not source.is_cut,  # else each part would decode all of it, and tell its loss
            asked=(run.layout.overlay(source.video.name),),
            cuts=cuts.alone(source.video.name),
        )
        for source in run.sources
    ]
    sources = {source.video.name: source for source in run.sources}
    with run.begin(manifest, outputs) as state, pools_of(config, detector, workers) as pools:
        bench = DetectBench(config, detector, batching, pools, sources)
        elsewhere = partial(open_bench, config, detector.device.type, given)
        return run.work(state, report, Job(tasks, bench, elsewhere, detector.device.type, outputs))


@contextmanager
def open_bench(
    config: PredictConfig, device: str, detector: Detector | None, threads: int
) -> Iterator[DetectBench]:
    """What predicts in a worker.

    Args:
        config: of the run.
        device: kind of device that computes.
        detector: the caller's, as in `run_predict`.
        threads: of the worker.
    """
    used = detector or _load(replace(config, device=device), ignore_event).detector
    batching = resolve_batching(config, used, threads)
    with pools_of(config, used, threads) as pools:
        yield DetectBench(config, used, batching, pools)


def _load(config: PredictConfig, on_event: OnEvent) -> _Network:
    device = resolve_device(config.device)
    loaded = load_network(config.weights, (FUSED, VIDEO, IMAGE, U2NET))
    for line in loaded.notices:
        on_event(Event("notice", message=line))
    network, preprocessing = loaded.network, loaded.preprocessing
    if config.size:
        preprocessing = replace(preprocessing, size=config.size)
    with torch_threads(1):  # which precision `auto` is must not depend on the number of cores
        create = MirroredDetector if config.mirror else Detector
        detector = create(
            network, preprocessing, device=device, precision=config.precision, compile=config.compile
        )
    return _Network(detector, loaded.name, {loaded.name: loaded.sha256})


def resolve_batching(config: PredictConfig, detector: Detector, workers: int) -> Batching:
    """What goes through the network together. It changes last digits, so it does not depend on `workers`."""
    on_cpu = detector.device.type == "cpu"
    frames = _GROUP_ON_CPU if on_cpu else _GROUP_ON_GPU
    calls = _streams(config, detector, workers)
    if not detector.is_video:  # every frame is a clip by itself
        return Batching(1, 1, config.batch or frames, frames, calls + 1)
    length = config.clip_length
    clips = config.batch or (1 if on_cpu else max(1, _FRAMES_ON_GPU // length))
    return Batching(length, config.stride or length, clips, frames, calls + 1)


def _streams(config: PredictConfig, detector: Detector, workers: int) -> int:
    """How many pieces of work go through the network side by side."""
    if config.compile:  # torch.compile must not be entered from two threads
        return 1
    return min(workers, _MOST_STREAMS) if detector.device.type == "cpu" else _CALLS_ON_GPU


@contextmanager
def pools_of(config: PredictConfig, detector: Detector, workers: int) -> Iterator[Pools]:
    """Threads for the network and for everything else.

    On a CPU each piece of the network has one core to itself. Torch's own threads wait for each other after
    every layer: with decoders and encoders of pictures beside them they were seven times slower, and their
    number changes the last digits of a result.
    """
    keep_freed_memory()
    streams = _streams(config, detector, workers)
    with torch_threads(max(1, workers // streams) if detector.device.type == "cpu" else 1):
        network = ThreadPoolExecutor(streams, "network")
        frames = ThreadPoolExecutor(max(2, workers), "frames")
        try:
            yield Pools(network, frames)
        finally:
            # After an error or Ctrl-C: what is running ends, what waits is dropped, what is written stays.
            network.shutdown(cancel_futures=True)
            frames.shutdown(cancel_futures=True)


def _describe(name: str, detector: Detector, batching: Batching, config: PredictConfig) -> str:
    how = f"clips of {batching.clip_length}" if detector.is_video else "every frame by itself"
    how += ", with motion" if detector.sees_motion else ""
    how += ", mirrored too" if isinstance(detector, MirroredDetector) else ""
    how += ", smoothed" if is_smoothed(config, detector) else ""
    return (
        f"weights: {name}, {how}, {detector.size}x{detector.size}, {detector.precision} on {detector.device}"
    )


def _dry_report(report: PredictReport, run: Run) -> PredictReport:
    for source in run.sources:
        name, frames = source.video.name, len(source.names)
        report.videos.append(PredictVideoReport(name, frames, frames, 0, 0.0, 0.0))
        run.on_event(Event("notice", name, f"would make maps of {frames} frames with {report.weights}"))
    return replace(report, dry_run=True)
