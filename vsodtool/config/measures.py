"""The measures of `evaluate`. A new one is a function of a `metrics.pair.Pair` and a line of `MEASURES`.

No NumPy here: what computes a measure is named, and imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsodtool.config.option import TableNames

AUTO = "auto"  # what the protocol names
_PAIR = "vsodtool.metrics.pair"


@dataclass(frozen=True, kw_only=True)
class Score:
    """A number that a measure gives of a video.

    Attributes:
        header: of its column in the final table; "" leaves it to JSON and CSV.
        lower: lower is better.
        paper: its labels in Markdown and in LaTeX, in tables as those of papers; () leaves it out there.
    """

    header: str = ""
    lower: bool = False
    paper: tuple[str, str] | tuple[()] = ()


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A line of the table.

    Attributes:
        compute: "module:function" from a `Pair` to parts by name: a number or a curve, float64 (256,), of
            which means are taken; a number per object id, which becomes mean, recall and decay of a series;
            None where a frame has no value.
        missing: the value of each part where there is no prediction; None: those of an empty one.
        scores: of a video, by the names of the contract, the one that stands for the measure first.
        summarise: "module:function" from the means of the parts and `Choices` to the scores; "" where the
            parts are the scores, or are numbers per object.
        title: in pictures, of the score that stands for it.
        per_object: the parts are numbers per object id.
        of_frames: whether it is also told apart for frames with and without an object.
        shown: its place in pictures and in tables as those of papers.
        worst: its place among those that tell which frames are the worst; 0 = it does not.
        needs: the package that it is computed by, and the extra that brings it; () for none.
    """

    compute: str
    scores: Mapping[str, Score]
    missing: float | None = 0.0
    summarise: str = ""
    title: str = ""
    per_object: bool = False
    of_frames: bool = True
    shown: int = 99
    worst: int = 0
    needs: tuple[str, str] | tuple[()] = ()

    @property
    def main(self) -> str:
        """The score that stands for it."""
        return next(iter(self.scores))


# In the order of the scores in JSON, CSV and tables.
MEASURES: dict[str, Measure] = {
    "mae": Measure(
        compute=f"{_PAIR}:mae",
        missing=1.0,
        scores={"mae": Score(header="MAE", lower=True, paper=("MAE ↓", r"MAE$\downarrow$"))},
        title="MAE",
        shown=3,
        worst=5,
    ),
    "f": Measure(
        compute=f"{_PAIR}:f",
        scores={
            "max_f": Score(header="maxF", paper=("max F ↑", r"$F_\beta^{\max}\uparrow$")),
            "mean_f": Score(header="meanF"),
            "adaptive_f": Score(),
        },
        summarise="vsodtool.pipelines.scoring.totals:f_scores",
        title="max F",
        shown=1,
        worst=4,
    ),
    "weighted_f": Measure(
        compute=f"{_PAIR}:weighted",
        scores={"weighted_f": Score(header="wF")},
        title="weighted F",
        shown=4,
        worst=6,
    ),
    "s_measure": Measure(
        compute=f"{_PAIR}:structure",
        scores={"s_measure": Score(header="S", paper=("S ↑", r"$S\uparrow$"))},
        title="S",
        shown=2,
        worst=3,
    ),
    "e": Measure(
        compute=f"{_PAIR}:e",
        scores={"max_e": Score(header="maxE"), "mean_e": Score(header="meanE"), "adaptive_e": Score()},
        summarise="vsodtool.pipelines.scoring.totals:e_scores",
        title="max E",
        shown=5,
        worst=8,
    ),
    "iou": Measure(
        compute=f"{_PAIR}:iou", scores={"iou": Score(header="IoU")}, title="IoU", shown=6, worst=7
    ),
    "j": Measure(
        compute=f"{_PAIR}:j",
        scores={
            "j_mean": Score(header="J", paper=("J mean ↑", r"$\mathcal{J}$ mean $\uparrow$")),
            "j_recall": Score(header="J-recall", paper=("J recall ↑", r"$\mathcal{J}$ recall $\uparrow$")),
            "j_decay": Score(
                header="J-decay", lower=True, paper=("J decay ↓", r"$\mathcal{J}$ decay $\downarrow$")
            ),
        },
        title="J mean",
        per_object=True,
        shown=7,
        worst=1,
    ),
    "boundary_f": Measure(
        compute=f"{_PAIR}:boundary",
        scores={
            "boundary_f_mean": Score(header="F", paper=("F mean ↑", r"$\mathcal{F}$ mean $\uparrow$")),
            "boundary_f_recall": Score(
                header="F-recall", paper=("F recall ↑", r"$\mathcal{F}$ recall $\uparrow$")
            ),
            "boundary_f_decay": Score(
                header="F-decay", lower=True, paper=("F decay ↓", r"$\mathcal{F}$ decay $\downarrow$")
            ),
            "j_and_f": Score(header="J&F"),
        },
        title="F mean (boundary)",
        per_object=True,
        shown=8,
        worst=2,
    ),
    "hce": Measure(
        compute="vsodtool.metrics.correction:hce",
        missing=None,
        scores={"hce": Score(header="HCE", lower=True)},
        title="HCE",
        of_frames=False,
        shown=9,
        worst=9,
        needs=("py_sod_metrics", "hce"),
    ),
    "stability": Measure(
        compute=f"{_PAIR}:stability",
        scores={"stability": Score(header="stability")},
        title="stability",
        of_frames=False,
        shown=10,
    ),
}

_FIRST = ("mae", "f", "e", "s_measure", "weighted_f", "iou")  # the order in which protocols name them


def _names() -> tuple[str, ...]:
    return (*_FIRST, *(name for name in MEASURES if name not in _FIRST))


MEASURE_NAMES: Sequence[str] = TableNames(_names)
MEASURE_CHOICES: Sequence[str] = TableNames(lambda: (*_names(), AUTO))


def score_names() -> tuple[str, ...]:
    """The scores of a video, in their order."""
    return tuple(name for measure in MEASURES.values() for name in measure.scores)


def frame_score_names() -> tuple[str, ...]:
    """The scores of a frame, in their order: of objects one number stands for all."""
    return tuple(
        score
        for name, measure in MEASURES.items()
        for score in ((name,) if measure.per_object else measure.scores)
    )


def frame_score(name: str) -> str:
    """The score of a frame that stands for a measure."""
    return name if MEASURES[name].per_object else MEASURES[name].main


def is_lower_better(score: str) -> bool:
    """Whether a score of a video or of a frame is better where it is lower."""
    return any(measure.scores[score].lower for measure in MEASURES.values() if score in measure.scores)


def worst_measure(measures: Sequence[str]) -> str:
    """The one of these measures that tells which frames are the worst, "" if none does."""
    telling = [name for name in measures if MEASURES[name].worst]
    return min(telling, key=lambda name: MEASURES[name].worst, default="")


def shown_measures(measures: Sequence[str]) -> list[str]:
    """Measures in the order of pictures, and of tables as those of papers."""
    return sorted(measures, key=lambda name: MEASURES[name].shown)
