"""The report of `evaluate` as pictures: PR and F curves, bars per video, the worst frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from vsodtool.config.measures import MEASURES, frame_score, is_lower_better, shown_measures
from vsodtool.config.protocols import Choices
from vsodtool.media.maps.reading import fit_map
from vsodtool.media.maps.score_files import score_table
from vsodtool.media.pictures.score_plots import (
    Example,
    Line,
    Panel,
    draw_bars,
    draw_lines,
    draw_sheet,
    require_matplotlib,
)
from vsodtool.metrics.f_measure import f_measure
from vsodtool.metrics.levels import Normalize, as_levels
from vsodtool.pipelines.scoring.report import EvaluateReport, MethodReport, WorstFrame
from vsodtool.pipelines.scoring.totals import Curve

_UNSAFE = re.compile(r"[^\w.-]+")
_MOST_PANELS = 3
_MOST_VIDEOS = 60


def plot_files(folder: Path, methods: Sequence[str], choices: Choices) -> list[Path]:
    """What `write_plots` will write.

    Raises:
        UsageError: matplotlib is not installed.
    """
    require_matplotlib()
    names = ["pr.png", "f.png", "curves.csv"] if "f" in choices.measures else []
    return [folder / name for name in (*names, "videos.png", *_sheets(methods))]


def write_plots(folder: Path, report: EvaluateReport) -> None:
    """Draw everything into a folder.

    Raises:
        DeviceError: a file cannot be written.
        DataError: an image of the worst frames cannot be read any more.
    """
    where = f"{report.dataset}, protocol {report.protocol}"
    if "f" in report.choices.measures:
        _draw_curves(folder, report, where)
    _draw_videos(folder / "videos.png", report, where)
    sheets = _sheets([method.name for method in report.methods])
    for method, name in zip(report.methods, sheets, strict=True):
        if method.worst:
            measure = _title(report.worst_by)
            title = f"{method.name} on {where}: the worst frames by {measure}"
            title += "   (prediction, truth, difference: red too much, blue missed)"
            draw_sheet(folder / name, [_example(each, report, measure) for each in method.worst], title)


def _draw_curves(folder: Path, report: EvaluateReport, where: str) -> None:
    thresholds = np.arange(256, dtype=np.float64)
    precision_recall, f_curves = [], []
    columns = ("method", "threshold", "precision", "recall", "f", "e")
    with score_table(folder / "curves.csv", columns) as table:
        for method in report.methods:
            precision, recall = method.curves["precision_curve"], method.curves["recall_curve"]
            f = _f_curve(method, report.choices)
            best = int(f.argmax())
            label = f"{method.name}  (max F {method.scores['max_f']:.3f})"
            precision_recall.append(Line(label, recall, precision, best))
            f_curves.append(Line(label, thresholds, f, best))
            e = method.curves.get("e_curve")
            for k in range(256):
                row = {"method": method.name, "threshold": k, "precision": precision[k], "recall": recall[k]}
                table.add({**row, "f": f[k], "e": "" if e is None else e[k]})
    draw_lines(folder / "pr.png", precision_recall, f"Precision and recall: {where}", "recall", "precision")
    title = f"F-measure (β² = 0.3): {where}"
    draw_lines(folder / "f.png", f_curves, title, "threshold (of 255)", "F")


def _f_curve(method: MethodReport, choices: Choices) -> Curve:
    if choices.f_measure == "frame-curves":
        return method.curves["f_curve"]
    return f_measure(method.curves["precision_curve"], method.curves["recall_curve"])


def _draw_videos(path: Path, report: EvaluateReport, where: str) -> None:
    measured = [MEASURES[name] for name in shown_measures(report.choices.measures)]
    panels = [measure for measure in measured if measure.main in report.methods[0].scores][:_MOST_PANELS]
    videos = list(report.methods[0].videos)
    if panels:  # the best on top, by the first measure and the first method
        first = report.methods[0].videos
        sign = 1 if is_lower_better(panels[0].main) else -1
        videos.sort(key=lambda video: sign * first[video].get(panels[0].main, np.inf))
    title = f"Per video: {where}"
    if len(videos) > _MOST_VIDEOS:
        title += f" (the worst {_MOST_VIDEOS} of {len(videos)})"
        videos = videos[-_MOST_VIDEOS:]
    bars = [
        Panel(
            f"{measure.title} {'↓' if is_lower_better(measure.main) else '↑'}",
            {
                m.name: np.array([m.videos[v].get(measure.main, np.nan) for v in videos])
                for m in report.methods
            },
        )
        for measure in panels
    ]
    if bars:
        draw_bars(path, videos, bars, title)


def _title(score: str) -> str:
    """Of the measure that a score of a frame stands for."""
    return next((MEASURES[name].title for name in MEASURES if frame_score(name) == score), score)


def _example(worst: WorstFrame, report: EvaluateReport, measure: str) -> Example:
    """The images of a frame, the prediction as the scores saw it."""
    task = worst.task
    truth = task.truth_reading.read(task.frame.truth)[0] > 0
    file = task.frame.predictions[worst.method]
    assert file is not None  # missing predictions are never among the worst
    values = task.readings[worst.method].read_map(file)
    if values.shape != truth.shape:
        values = fit_map(values, (truth.shape[0], truth.shape[1]))
    prediction = as_levels(values, cast(Normalize, report.choices.normalize)).image()
    several = len(report.methods[0].videos) > 1
    name = f"{task.video}/{task.frame.name}" if several else task.frame.name
    return Example(f"{name}   {measure} {worst.score:.3f}", prediction, truth)


def _sheets(methods: Sequence[str]) -> list[str]:
    if len(methods) == 1:
        return ["worst.png"]
    return [f"worst-{_UNSAFE.sub('_', name)}.png" for name in methods]
