"""Scores as text: rows for a terminal or a pipe, Markdown, LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsodtool.cli.text import Table, printable

if TYPE_CHECKING:
    from vsodtool.pipelines.scoring.report import EvaluateReport, MethodReport

# Score -> short header. What is not among these stands in the JSON and the CSV only.
HEADERS = {
    "mae": "MAE",
    "max_f": "maxF",
    "mean_f": "meanF",
    "weighted_f": "wF",
    "s_measure": "S",
    "max_e": "maxE",
    "mean_e": "meanE",
    "iou": "IoU",
    "j_mean": "J",
    "j_recall": "J-recall",
    "j_decay": "J-decay",
    "boundary_f_mean": "F",
    "boundary_f_recall": "F-recall",
    "boundary_f_decay": "F-decay",
    "j_and_f": "J&F",
    "hce": "HCE",
    "stability": "stability",
}
_LOWER = frozenset({"mae", "j_decay", "boundary_f_decay", "hce"})

# Table 1 of Yan et al., ICCV 2019: data set and measure down, methods across.
_TABLE_1 = {
    "max_f": ("max F ↑", r"$F_\beta^{\max}\uparrow$"),
    "s_measure": ("S ↑", r"$S\uparrow$"),
    "mae": ("MAE ↓", r"MAE$\downarrow$"),
}
_TABLE_DAVIS = {
    "j_mean": ("J mean ↑", r"$\mathcal{J}$ mean $\uparrow$"),
    "j_recall": ("J recall ↑", r"$\mathcal{J}$ recall $\uparrow$"),
    "j_decay": ("J decay ↓", r"$\mathcal{J}$ decay $\downarrow$"),
    "boundary_f_mean": ("F mean ↑", r"$\mathcal{F}$ mean $\uparrow$"),
    "boundary_f_recall": ("F recall ↑", r"$\mathcal{F}$ recall $\uparrow$"),
    "boundary_f_decay": ("F decay ↓", r"$\mathcal{F}$ decay $\downarrow$"),
}


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
    columns = [name for name in HEADERS if any(name in method.scores for method in report.methods)]
    if "s_measure" in columns and "iou" in columns:
        columns.remove("iou")  # for 80 columns
    header = ["frames", *(HEADERS[name] for name in columns)]
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
    for table in (_TABLE_1, _TABLE_DAVIS):
        for name, (label, latex) in table.items():
            if not any(name in method.scores for method in report.methods):
                continue
            cells = [_short(method.scores.get(name)) for method in report.methods]
            names = _best(report.methods, name) if len(report.methods) > 1 else set()
            best = {index for index, method in enumerate(report.methods) if method.name in names}
            found.append((label, latex, cells, best))
    return found


def _best(methods: Sequence[MethodReport], score: str) -> set[str]:
    """Names of the methods that are best in a score, equal ones included."""
    values = {method.name: method.scores[score] for method in methods if score in method.scores}
    if not values:
        return set()
    top = min(values.values()) if score in _LOWER else max(values.values())
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
