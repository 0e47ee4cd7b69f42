"""`vsodtool evaluate`: predictions against truth -> scores under a named protocol.

One pass over the images: the truth of a frame is read once, and the predictions of every method with it.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from vsodtool.checks import resolve_device, resolve_workers
from vsodtool.config import EvaluateConfig
from vsodtool.config.measures import (
    MEASURES,
    frame_score,
    frame_score_names,
    score_names,
    worst_measure,
)
from vsodtool.config.protocols import Choices
from vsodtool.errors import DataError, DeviceError
from vsodtool.media.maps.reading import SOFT, PredictionReading, TruthReading, detect_prediction, detect_truth
from vsodtool.media.maps.score_files import ScoreTable, Value, check_new_files, score_table, videos_csv
from vsodtool.ops.inverted import INVERTED, look_inverted
from vsodtool.ops.sampling.sample_order import spread
from vsodtool.pipelines.running.ordered_work import map_in_order
from vsodtool.pipelines.running.staging.urls import with_urls
from vsodtool.pipelines.scoring.frame import FrameResult, FrameTask, ids_of, require_packages, score_task
from vsodtool.pipelines.scoring.method import MethodTotals
from vsodtool.pipelines.scoring.plan import Plan, PlannedVideo, make_plan, name_methods
from vsodtool.pipelines.scoring.plots import plot_files, write_plots
from vsodtool.pipelines.scoring.report import EvaluateReport
from vsodtool.types import Event, OnEvent, ignore_event

_FRAME_COLUMNS = ("method", "video", "frame", "empty_truth", "missing", "resized")
_VIDEO_COLUMNS = ("method", "video", "frames")
_LOOKED_AT = 3  # truths of a video: whether they are black on white
_MANY = 150  # maps; below, processes take longer to start than they save


@with_urls
def run_evaluate(
    config: EvaluateConfig, *, processes: bool = False, on_event: OnEvent = ignore_event
) -> EvaluateReport:
    """Score the predictions of one or several methods.

    Args:
        config: what to do.
        processes: work in processes rather than in threads where there are many frames: faster, and possible
            if the main module can be imported (see `map_in_order`). The scores are the same.
        on_event: hears of progress, notices and warnings.

    Raises:
        UsageError: a file that would be written exists or lies in an input, or `plots` without matplotlib.
        DataError: predictions and truth do not belong together, or a file cannot be read.
        DeviceError: a device is asked for that does not exist. What cannot be written stands in the report:
            the scores are there all the same.
    """
    started = time.perf_counter()
    if config.device not in ("auto", "cpu"):
        resolve_device(config.device)  # an absent one is refused, though nothing but the CPU is used
        on_event(Event("notice", message="scores are computed on the CPU"))
    require_packages(config.choices.measures)
    files = _files(config)
    with tempfile.TemporaryDirectory(prefix="vsodtool-truth-") as folder:
        plan = make_plan(config, Path(folder), on_event)
        report = _evaluate(config, plan, files, processes=processes, on_event=on_event)
    return replace(report, seconds=time.perf_counter() - started)


def _evaluate(
    config: EvaluateConfig, plan: Plan, files: Sequence[Path], *, processes: bool, on_event: OnEvent
) -> EvaluateReport:
    """Score what was planned, and write what was asked for."""
    failures: list[DeviceError] = []
    choices = config.choices
    methods = [
        MethodTotals(index, name, tree.folder, choices)
        for index, (name, tree) in enumerate(zip(plan.names, plan.methods, strict=True))
    ]
    if not config.dry_run:
        with _FrameRows(config.csv, failures) as rows:
            _score(config, plan, methods, rows, processes=processes, on_event=on_event)
    report = EvaluateReport(
        protocol=config.protocol,
        choices=choices,
        void=config.void,
        values=config.values,
        every=config.every,
        dataset=config.name or _dataset(plan),
        ground_truth=plan.truth.folder,
        methods=tuple(
            method.report(ends=plan.ends, given=plan.given, extra=extra)
            for method, extra in zip(methods, plan.pairing.extra_frames, strict=True)
        ),
        missing_videos=tuple(plan.pairing.missing_videos),
        extra_videos=tuple(plan.pairing.extra_videos),
        worst_by=frame_score(worst) if (worst := worst_measure(choices.measures)) else "",
        files=() if config.dry_run else tuple(files),
        dry_run=config.dry_run,
    )
    for method in report.methods:
        if method.frames.resized:
            message = f"{method.name}: {method.frames.resized} predictions resized to the size of their truth"
            on_event(Event("warning", message=message))
    if config.csv and not config.dry_run:
        with _noting(failures):
            _write_videos(videos_csv(Path(config.csv)), report)
    if config.plots and not config.dry_run:
        with _noting(failures):
            write_plots(Path(config.plots), report)
    return replace(report, failures=tuple(dict.fromkeys(error.message for error in failures)))


@contextmanager
def _noting(failures: list[DeviceError]) -> Iterator[None]:
    """A file that cannot be written costs that file, not the scores."""
    try:
        yield
    except DeviceError as error:
        failures.append(error)


class _FrameRows:
    """The CSV of the frames, while it can be written; use it in a `with` block."""

    def __init__(self, csv: str, failures: list[DeviceError]) -> None:
        """Begin the file, "" for none; what goes wrong is noted in `failures`."""
        self._failures, self._stack = failures, ExitStack()
        self._table: ScoreTable | None = None
        with _noting(failures):
            if csv:
                columns = (*_FRAME_COLUMNS, *frame_score_names())
                self._table = self._stack.enter_context(score_table(Path(csv), columns))

    def add(self, row: Mapping[str, Value]) -> None:
        """Append a row."""
        try:
            if self._table is not None:
                self._table.add(row)
        except DeviceError as error:
            self._table = None
            self._failures.append(error)
            with _noting(self._failures):  # takes the unfinished file away
                self._stack.__exit__(type(error), error, error.__traceback__)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _noting(self._failures):
            self._stack.__exit__(kind, error, trace)


def _files(config: EvaluateConfig) -> list[Path]:
    """What will be written; refused if it may not be, before anything is read."""
    files = [Path(config.csv), videos_csv(Path(config.csv))] if config.csv else []
    if config.plots:
        files += plot_files(Path(config.plots), name_methods(config.methods), config.choices)
    check_new_files(files, [config.truth, *config.methods], overwrite=config.overwrite)
    return files


def _score(
    config: EvaluateConfig,
    plan: Plan,
    methods: list[MethodTotals],
    rows: _FrameRows,
    *,
    processes: bool,
    on_event: OnEvent,
) -> None:
    """Read and score every frame, and hand the results on in order."""
    choices = config.choices
    work = partial(score_task, choices=choices, allow_resize=config.allow_resize)
    lengths = {video.name: len(video.scored) for video in plan.videos}
    done = dict.fromkeys(lengths, 0)
    tasks = _tasks(plan, config, on_event)
    workers = resolve_workers(config.workers)
    many = workers > 1 and sum(lengths.values()) * len(methods) >= _MANY
    for task, results in map_in_order(work, tasks, workers, processes=processes and many):
        for method, result in zip(methods, results, strict=True):
            scores = method.add(task, result)
            rows.add({**_frame_row(method.name, task, result), **scores})
        name = task.video
        if done[name] == 0:
            on_event(Event("video", name, total=lengths[name]))
        done[name] += 1
        on_event(Event("frame", name, done=done[name], total=lengths[name]))
        if done[name] == lengths[name]:
            on_event(Event("done", name, done=done[name], total=lengths[name]))


def _tasks(plan: Plan, config: EvaluateConfig, on_event: OnEvent) -> Iterator[FrameTask]:
    """The frames in order. How a video is read is found out when its turn comes."""
    choices, void = config.choices, config.void
    for video in plan.videos:
        truth = detect_truth(video.truths, choices.truth_above, objects=choices.objects, void=void)
        readings = tuple(
            detect_prediction(
                video.predictions(index),
                truth,
                choices.prefers,
                void=void,
                values=SOFT if method.soft else config.values,
            )
            for index, method in enumerate(plan.methods)
        )
        for reading in readings:
            if reading.doubt:
                on_event(Event("warning", video.name, reading.doubt))
        seen = [video.truths[place] for place in spread(len(video.truths), _LOOKED_AT)]
        if len(seen) > 1 and look_inverted([truth.read(path)[0] for path in seen]):
            on_event(Event("warning", video.name, f"the truth: {INVERTED}"))
        multi = _is_multi(video, truth, readings, choices, on_event)
        first_ids = ids_of(truth.read(video.truths[0])[0]) if multi else ()
        before = {b.name: a for a, b in itertools.pairwise(video.paired.frames)}
        scored = {frame.name for frame in video.scored}
        for frame in video.scored:
            former = before.get(frame.name)
            former = former if former is not None and former.name in scored else None
            yield FrameTask(video.name, frame, truth, readings, multi, former, first_ids)


def _is_multi(
    video: PlannedVideo,
    truth: TruthReading,
    readings: tuple[PredictionReading, ...],
    choices: Choices,
    on_event: OnEvent,
) -> bool:
    """Whether J and F of a video are those of each object."""
    if choices.objects == "single" or not any(MEASURES[name].per_object for name in choices.measures):
        return False
    by_ids = truth.has_ids and all(reading.has_ids_of(truth) for reading in readings)
    if by_ids:
        return True
    if choices.objects == "multi":
        what = "predictions" if truth.has_ids else "ground truth"
        raise DataError(
            f"{video.name}: expected object ids in the {what}, found binary masks",
            "save ids as palette PNG, or let --objects single score all objects as one",
        )
    if truth.has_ids and len(truth.ids) > 1:
        message = f"the truth has {len(truth.ids)} objects, the predictions have no ids: all count as one"
        on_event(Event("notice", video.name, message))
    return False


def _frame_row(method: str, task: FrameTask, result: FrameResult) -> dict[str, str | bool]:
    return {
        "method": method,
        "video": task.video,
        "frame": task.frame.name,
        "empty_truth": result.empty_truth,
        "missing": result.missing,
        "resized": result.resized,
    }


def _write_videos(path: Path, report: EvaluateReport) -> None:
    with score_table(path, (*_VIDEO_COLUMNS, *score_names())) as table:
        for method in report.methods:
            for video, scores in method.videos.items():
                frames = method.video_frames[video]
                table.add({"method": method.name, "video": video, "frames": frames, **scores})


def _dataset(plan: Plan) -> str:
    """What a person would call the data: the last part of the path that is not a matter of layout."""
    layout = {"Annotations", "480p", "1080p", "Full-Resolution", "masks", "soft", "truth", "gt", "GT"}
    path = plan.truth.folder.resolve()
    path = path.with_suffix("") if path.is_file() else path
    names = [part for part in reversed(path.parts) if part not in layout]
    return names[0] if names else "data"
