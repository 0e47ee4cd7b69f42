"""Pictures of scores, drawn with matplotlib, which is an optional extra: nothing else here needs it."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vsodtool.errors import UsageError
from vsodtool.media.atomic import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

# Okabe and Ito's colours, which people tell apart whatever their eyes.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")
INK, FAINT, GRID = "#222222", "#666666", "#E4E4E4"
_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "text.color": INK,
    "legend.frameon": False,
    "text.parse_math": False,  # a "$" in a name is a "$"
}
_DPI = 150


def require_matplotlib() -> None:
    """Refuse to go on where nothing can be drawn.

    Raises:
        UsageError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UsageError(
            "--plots needs matplotlib, which is not installed",
            "pip install 'vsodtool[plots]' (or matplotlib itself), or leave out --plots",
        )


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        label: for the legend.
        x: float64 (N,).
        y: float64 (N,).
        mark: the point that gets a dot, -1 for none.
    """

    label: str
    x: Floats
    y: Floats
    mark: int = -1


def draw_lines(path: Path, lines: Sequence[Line], title: str, x_label: str, y_label: str) -> None:
    """Curves in one square, y from 0 to 1, written as PNG.

    Raises:
        DeviceError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(6.4, 5.2 + 0.22 * max(len(lines) - 2, 0)), layout="constrained")
        axes = figure.subplots()
        for index, line in enumerate(lines):
            colour = COLOURS[index % len(COLOURS)]
            dash = "-" if index < len(COLOURS) else "--"
            axes.plot(line.x, line.y, dash, color=colour, linewidth=1.8, label=_label(line.label))
            if line.mark >= 0:
                axes.plot(line.x[line.mark], line.y[line.mark], "o", color=colour, markersize=5)
        axes.set(title=title, xlabel=x_label, ylabel=y_label, ylim=(0, 1.02))
        left, right = min(float(line.x.min()) for line in lines), max(float(line.x.max()) for line in lines)
        axes.set_xlim(min(left, 0), max(right, 1) * 1.01)
        axes.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower left", ncols=1 if len(lines) < 3 else 2)
        _save(figure, path)


@dataclass(frozen=True)
class Panel:
    """One measure of the bars.

    Attributes:
        title: its name, with the direction that is better.
        values: label of the method -> one value per video (NaN: none).
    """

    title: str
    values: Mapping[str, Floats]


def draw_bars(path: Path, videos: Sequence[str], panels: Sequence[Panel], title: str) -> None:
    """A row of bars per video, a column per measure, written as PNG.

    Args:
        path: the file.
        videos: their names, from the top down.
        panels: the measures; all have the same methods, and a value for each video.
        title: above all.

    Raises:
        DeviceError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    methods = list(panels[0].values)
    thick = 0.8 / len(methods)
    height = max(len(videos) * max(0.28, 0.16 * len(methods)), 0.6) + 1.2
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(2.2 + 2.6 * len(panels), height), layout="constrained")
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, panel in zip(grid, panels, strict=True):
            for index, method in enumerate(methods):
                places = np.arange(len(videos)) + (index - (len(methods) - 1) / 2) * thick
                colour = COLOURS[index % len(COLOURS)]
                axes.barh(places, panel.values[method], thick * 0.92, color=colour, label=_label(method))
            _finish_bars(axes, panel, videos)
        if len(methods) > 1:
            handles, labels = grid[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower left", ncols=min(len(methods), 4))
        _save(figure, path)


def _finish_bars(axes: Axes, panel: Panel, videos: Sequence[str]) -> None:
    highest = float(np.nanmax([np.nanmax(values) for values in panel.values.values()]))
    lowest = float(np.nanmin([np.nanmin(values) for values in panel.values.values()]))
    axes.set_xlim(min(lowest * 1.1, 0), 1 if highest > 0.4 else max(highest * 1.25, 0.01))
    axes.set_yticks(np.arange(len(videos)), labels=list(videos))
    axes.set_ylim(len(videos) - 0.4, -0.6)  # the first on top
    axes.set_title(panel.title)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    if len(panel.values) == 1:
        values = next(iter(panel.values.values()))
        for place, value in enumerate(values):
            if np.isfinite(value):
                axes.annotate(
                    f"{value:.3f}",
                    (max(float(value), 0.0), place),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                    color=FAINT,
                    annotation_clip=False,
                )


@dataclass(frozen=True)
class Example:
    """One frame of the sheet.

    Attributes:
        caption: above it.
        prediction: float (H, W) in [0, 1].
        truth: bool (H, W).
    """

    caption: str
    prediction: Floats
    truth: npt.NDArray[np.bool_]


def draw_sheet(path: Path, examples: Sequence[Example], title: str) -> None:
    """Prediction, truth and difference of some frames, two frames in a row, written as PNG.

    Raises:
        DeviceError: the file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = (len(examples) + 1) // 2
    cell = 2.3
    shapes = [example.truth.shape for example in examples]
    heights = [
        cell * min(max(height / width for height, width in shapes[2 * row : 2 * row + 2]), 1.0) + 0.3
        for row in range(rows)
    ]
    with mpl.rc_context(_STYLE):
        engine = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.03, wspace=0.01, hspace=0.02)
        figure = Figure(figsize=(6 * cell + 0.3, sum(heights) + 0.5), layout=engine)
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        grid = figure.subplots(rows, 6, squeeze=False, gridspec_kw={"height_ratios": heights})
        for axes in grid.flat:
            axes.axis("off")
        for index, example in enumerate(examples):
            cells = grid[index // 2, 3 * (index % 2) : 3 * (index % 2) + 3]
            cells[0].imshow(example.prediction, cmap="gray", vmin=0, vmax=1)
            cells[1].imshow(example.truth, cmap="gray", vmin=0, vmax=1)
            cells[2].imshow(difference(example.prediction, example.truth))
            cells[0].set_title(example.caption, fontsize=9)
            for axes in cells:
                axes.set_anchor("NW")
                axes.axis("on")
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set(visible=True, color=FAINT, linewidth=0.6)
        _save(figure, path)


def difference(prediction: Floats, truth: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """What is wrong, uint8 (H, W, 3): too much is red, too little blue, right object grey, the rest white."""
    right = np.where(truth[..., None], np.array([205.0] * 3), np.array([255.0] * 3))
    wrong = np.where(truth[..., None], np.array([0.0, 90.0, 200.0]), np.array([213.0, 60.0, 0.0]))
    share = np.abs(prediction - truth)[..., None]
    return np.asarray(right + (wrong - right) * share + 0.5).astype(np.uint8)


def _label(name: str) -> str:
    """A name for the legend, which leaves out those that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)  # a box stands for it
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    write_bytes_atomically(path, buffer.getvalue())
