"""Scores as text: rows for a terminal or a pipe, Markdown, LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsodtool.cli.text import Table, printable
from vsodtool.config.measures import MEASURES, Score, is_lower_better, shown_measures

if TYPE_CHECKING:
    from vsodtool.pipelines.scoring.report import EvaluateReport, MethodReport


@dataclass(frozen=True)
class Row:
    """One line of the final table.

    Attributes:
        name: of a video, a method or an average.
        cells: frames, then one text per column.
        is_total: below the rule; what the protocol calls the result.
        best: columns in which the row is the best of several methods.
    """

    name: str
    cells: tuple[str, ...]
    is_total: bool = False
    best: frozenset[int] = frozenset()


def score_rows(report: EvaluateReport) -> tuple[list[str], list[Row]]:
    """Header and rows of the final table: a row per video of one method, or a row per method."""
    known: dict[str, Score] = {}
    for measure in MEASURES.values():
        known |= measure.scores
    measured = [name for name in known if any(name in method.scores for method in report.methods)]
    columns = [name for name in measured if known[name].header]
    if "s_measure" in columns and "iou" in columns:
        columns.remove("iou")  # for 80 columns
    header = ["frames", *(known[name].header for name in columns)]
    if len(report.methods) == 1:
        return ["video", *header], _rows_of_method(report.methods[0], report, columns)
    best = [_best(report.methods, name) for name in columns]
    rows = []
    for method in report.methods:
        marked = frozenset(place + 1 for place, methods in enumerate(best) if method.name in methods)
        rows.append(_row(method.name, method.frames.scored, method.scores, columns, best=marked))
    return ["method", *header], rows


def plain_table(header: Sequence[str], rows: Sequence[Row]) -> str:
    """Aligned columns, for a pipe."""
    table = Table(list(header))
    for row in rows:
        table.add(row.name, *row.cells)
    return str(table)


def markdown_table(report: EvaluateReport) -> str:
    """Data set and measure down, methods across, as the paper's Table 1; the best in bold."""
    names = [_escape(printable(method.name), "|*_`\\<", "\\") for method in report.methods]
    lines = [
        "| data set | measure | " + " | ".join(names) + " |",
        "|---|---" * 1 + "|---:" * len(names) + "|",
    ]
    dataset = _escape(printable(report.dataset), "|*_`\\<", "\\")
    for place, (label, _, cells, best) in enumerate(_measures(report)):
        marked = [f"**{cell}**" if index in best else cell for index, cell in enumerate(cells)]
        lines.append(f"| {dataset if place == 0 else ''} | {label} | " + " | ".join(marked) + " |")
    return "\n".join(lines) + "\n"


def latex_rows(report: EvaluateReport) -> str:
    """The same as rows of a LaTeX tabular (with multirow); the best in bold."""
    measures = _measures(report)
    names = [_latex(method.name) for method in report.methods]
    lines = [
        f"% vsodtool evaluate, protocol {report.protocol}; needs \\usepackage{{multirow}}",
        "Data set & Metric & " + " & ".join(names) + r" \\",
        r"\hline",
    ]
    for place, (_, label, cells, best) in enumerate(measures):
        marked = [rf"\textbf{{{cell}}}" if index in best else cell for index, cell in enumerate(cells)]
        first = rf"\multirow{{{len(measures)}}}{{*}}{{{_latex(report.dataset)}}}" if place == 0 else ""
        lines.append(f"{first} & {label} & " + " & ".join(marked) + r" \\")
    return "\n".join(lines) + "\n"


def _rows_of_method(method: MethodReport, report: EvaluateReport, columns: Sequence[str]) -> list[Row]:
    rows = []
    if len(method.videos) > 1:
        rows = [
            _row(name, method.video_frames[name], scores, columns) for name, scores in method.videos.items()
        ]
    frames = method.frames
    averages = [
        ("video", "videos", method.average_over_videos),
        ("frame", "frames", method.average_over_frames),
    ]
    averages.sort(key=lambda entry: entry[0] != report.choices.average)
    for by, name, scores in averages[: 2 if len(method.videos) > 1 else 1]:
        label = f"{report.protocol if by == report.choices.average else 'average'} ({name})"
        rows.append(_row(label, frames.scored, scores, columns, is_total=True))
    if frames.empty_truth:
        rows.append(_row("empty truth", frames.empty_truth, method.empty_truth, columns, is_total=True))
        others = frames.scored - frames.empty_truth
        rows.append(_row("without those", others, method.without_empty_truth, columns, is_total=True))
    return rows


def _row(
    name: str,
    frames: int,
    scores: dict[str, float],
    columns: Sequence[str],
    *,
    is_total: bool = False,
    best: frozenset[int] = frozenset(),
) -> Row:
    cells = [f"{scores[column]:.4f}" if column in scores else "-" for column in columns]
    return Row(printable(name), (str(frames), *cells), is_total, best)


def _measures(report: EvaluateReport) -> list[tuple[str, str, list[str], set[int]]]:
    """Per measure of the paper's table: label, LaTeX label, one cell per method, which of them are best."""
    found = []
    for measure in shown_measures(report.choices.measures):
        for name, score in MEASURES[measure].scores.items():
            if not score.paper or not any(name in method.scores for method in report.methods):
                continue
            cells = [_short(method.scores.get(name)) for method in report.methods]
            names = _best(report.methods, name) if len(report.methods) > 1 else set()
            best = {index for index, method in enumerate(report.methods) if method.name in names}
            found.append((*score.paper, cells, best))
    return found


def _best(methods: Sequence[MethodReport], score: str) -> set[str]:
    """Names of the methods that are best in a score, equal ones included."""
    values = {method.name: method.scores[score] for method in methods if score in method.scores}
    if not values:
        return set()
    top = min(values.values()) if is_lower_better(score) else max(values.values())
    return {name for name, value in values.items() if value == top}


def _short(value: float | None) -> str:
    """Three digits without the zero before the point, as tables print them."""
    if value is None:
        return "-"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _latex(text: str) -> str:
    names = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(
        names.get(char) or (f"\\{char}" if char in "&%$#_{}" else char) for char in printable(text)
    )


def _escape(text: str, special: str, by: str) -> str:
    return "".join(by + char if char in special else char for char in text)
