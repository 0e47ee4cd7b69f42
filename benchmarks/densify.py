"""How good are the dense labels, beside simpler methods, and what is their confidence worth?

    python benchmarks/densify.py ROOT [--every 5 10 20] [--quality best] [--methods warp copy shape direct]
                                      [--methods warp fgplg auto adapt --weights FILE --adapt 30]
                                      [--sequences NAME ...] [--keep DIR] [--out FILE.md]

J, F, MAE on a DAVIS-style root. The densifier gets masks 0, K, 2K, ... and the last; these frames are not
scored. warp, fgplg and auto are methods of vsodtool, adapt is auto with --adapt; auto beside another one
tells too what it chose for each sequence, and what it lost against the better of them. The confidence is that
of the last of these methods.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from baselines import copy_nearest, direct_flow, shape_interpolation
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool.media.images import read_grey
from vsodtool.metrics import SparsificationCounts, boundary_f, mean_absolute_error, region_j, spearman

if TYPE_CHECKING:  # torch is slow to import, and the copies need none
    from vsodtool.pipelines.pseudolabel import PseudoLabelReport, PseudoLabelVideoReport

BASELINES: dict[str, Callable[[Sequence, int], Iterator[tuple[int, npt.NDArray[np.bool_]]]]] = {
    "copy": copy_nearest,
    "shape": shape_interpolation,
    "direct": direct_flow,
}
LABELS = {
    "copy": "copy nearest mask",
    "shape": "interpolate signed distances",
    "direct": "direct flow",
    "warp": "**vsodtool, warp**",
    "fgplg": "**vsodtool, fgplg**",
    "auto": "**vsodtool, auto**",
    "adapt": "**vsodtool, auto, --adapt**",
}
OURS = ("warp", "fgplg", "auto", "adapt")
TOLERATED = 0.005  # J that auto may lose on a video against the better method
Scores = tuple[float, float, float]  # J, F, MAE


@dataclass
class ConfidenceResult:
    """What one run's confidences are worth.

    Attributes:
        pooled: Spearman of frame confidence and J over all generated frames.
        per_video: the same within each video.
        ause: pooled over all pixels of all generated frames.
        ause_per_video: within each video.
    """

    pooled: float
    per_video: dict[str, float]
    ause: float
    ause_per_video: dict[str, float]


@dataclass
class Results:
    """Everything that was measured; keys are (method, every), of `choices` (every, sequence)."""

    scores: dict[tuple[str, int], dict[str, Scores]] = field(default_factory=dict)
    confidence: dict[int, ConfidenceResult] = field(default_factory=dict)
    choices: dict[tuple[int, str], PseudoLabelVideoReport] = field(default_factory=dict)
    seconds: dict[tuple[str, int], float] = field(default_factory=dict)


def score_frames(
    sequence: Sequence, frames: Iterator[tuple[int, npt.NDArray[np.bool_]]]
) -> dict[int, Scores]:
    """J, F and MAE of each frame."""
    scores = {}
    for index, pred in frames:
        truth = read_grey(sequence.masks[index]) > 127
        scores[index] = (region_j(pred, truth), boundary_f(pred, truth), mean_absolute_error(pred, truth))
    return scores


def mean(scores: dict[int, Scores]) -> Scores:
    """Mean over frames; NaN where every frame was given."""
    if not scores:
        return (float("nan"),) * 3
    j, f, mae = np.mean(list(scores.values()), axis=0)
    return float(j), float(f), float(mae)


def run_ours(
    sequences: list[Sequence], every: int, method: str, arguments: argparse.Namespace, output: Path
) -> PseudoLabelReport:
    """Let vsodtool label the sequences."""
    from vsodtool.config import PseudoLabelConfig
    from vsodtool.pipelines.pseudolabel import run_pseudolabel

    config = PseudoLabelConfig(
        inputs=tuple(str(sequence.frames[0].parent) for sequence in sequences),
        masks=sequences[0].masks[0].parent.parent if len(sequences) > 1 else sequences[0].masks[0].parent,
        output=output,
        method="auto" if method == "adapt" else method,
        weights="" if method == "warp" else arguments.weights,
        adapt=arguments.adapt if method == "adapt" else 0,
        quality=arguments.quality,
        backend=arguments.backend,
        every=every,
        confidence=True,
    )
    return run_pseudolabel(config)


def score_ours(
    sequences: list[Sequence], every: int, output: Path
) -> tuple[dict[str, Scores], ConfidenceResult]:
    """Scores of written labels, and what their confidences are worth."""
    with (output / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["video"], row["frame"]): row for row in csv.DictReader(file)}
    pooled, result, all_pairs = SparsificationCounts(), {}, []
    correlations, areas = {}, {}
    for sequence in sequences:
        given, own, pairs = sequence.given(every), SparsificationCounts(), []
        for index in given:
            if not np.array_equal(_read(output, "masks", sequence, index), read_grey(sequence.masks[index])):
                raise SystemExit(f"{sequence.name} {index}: the given mask did not come back unchanged")
        targets = [index for index in range(len(sequence.frames)) if index not in given]
        masks = ((index, _read(output, "masks", sequence, index) > 127) for index in targets)
        scores = score_frames(sequence, masks)
        result[sequence.name] = mean(scores)
        for index in targets:
            pred = _read(output, "masks", sequence, index) > 127
            wrong = pred != (read_grey(sequence.masks[index]) > 127)
            confidence = _read(output, "confidence", sequence, index)
            own.add(wrong, confidence)
            pooled.add(wrong, confidence)
            row = rows[sequence.name, sequence.frames[index].stem]
            pairs.append((float(row["confidence"]), scores[index][0]))
        if pairs:
            correlations[sequence.name] = spearman(*zip(*pairs, strict=True))
            areas[sequence.name] = own.result().ause
        all_pairs += pairs
    worth = ConfidenceResult(
        spearman(*zip(*all_pairs, strict=True)), correlations, pooled.result().ause, areas
    )
    return result, worth


def _read(output: Path, kind: str, sequence: Sequence, index: int) -> npt.NDArray[np.uint8]:
    return read_grey(output / kind / sequence.name / f"{sequence.frames[index].stem}.png")


def tables(results: Results, sequences: list[Sequence], methods: list[str], everies: list[int]) -> list[str]:
    """The figures as markdown."""
    head = "".join(f" J, K={every} | F | MAE |" for every in everies)
    lines = [f"| video | method |{head}", "|---|---|" + "---|" * (3 * len(everies))]
    names = [sequence.name for sequence in sequences]
    for name in ["mean", *names]:
        for method in methods:
            cells = ""
            for every in everies:
                of = results.scores[method, every]
                j, f, mae = np.nanmean(list(of.values()), axis=0) if name == "mean" else of[name]
                cells += f" {j:.4f} | {f:.4f} | {mae:.4f} |"
            lines.append(f"| {name} | {LABELS[method]} |{cells}")
    if results.confidence:
        ours = [method for method in methods if method in OURS][-1]
        lines += ["", f"| confidence of {ours} | " + " | ".join(f"K={every}" for every in everies) + " |"]
        lines.append("|---|" + "---|" * len(everies))
        worth = [results.confidence[every] for every in everies]
        kinds: list[tuple[str, list[float]]] = [
            ("Spearman(frame confidence, J), all frames pooled", [w.pooled for w in worth]),
            ("Spearman within a video, mean", [float(np.nanmean(list(w.per_video.values()))) for w in worth]),
            ("AUSE, all pixels pooled (0 = perfect)", [w.ause for w in worth]),
            (
                "AUSE within a video, mean",
                [float(np.nanmean(list(w.ause_per_video.values()))) for w in worth],
            ),
        ]
        lines += [
            f"| {label} | " + " | ".join(f"{value:.3f}" for value in values) + " |" for label, values in kinds
        ]
        lines += [
            f"| {name}: Spearman / AUSE | "
            + " | ".join(f"{w.per_video[name]:.3f} / {w.ause_per_video[name]:.3f}" for w in worth)
            + " |"
            for name in names
        ]
    return lines


def auto_table(
    results: Results, sequences: list[Sequence], methods: list[str], everies: list[int]
) -> list[str]:
    """What auto chose, and what it lost against the better of the other methods of ours."""
    others = [method for method in OURS if method in methods and method not in {"auto", "adapt"}]
    lines = ["", f"| auto: video | K | chosen | hidden J | J | best of {', '.join(others)} | lost |"]
    lines.append("|---|---|---|---|---|---|---|")
    losses = []
    for every in everies:
        for sequence in sequences:
            choice = results.choices[every, sequence.name]
            own = results.scores["auto", every][sequence.name][0]
            best = max(results.scores[other, every][sequence.name][0] for other in others)
            losses.append(best - own)
            hidden = ", ".join(f"{name} {value:.4f}" for name, value in choice.hidden_j.items())
            lines.append(
                f"| {sequence.name} | {every} | {choice.method} | {hidden or '-'} | {own:.4f} | {best:.4f} "
                f"| {best - own:.4f} |"
            )
    above = sum(loss > TOLERATED for loss in losses)
    lines += ["", f"auto lost at most {np.nanmax(losses):.4f}, more than {TOLERATED} {above} times"]
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--every", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--quality", default="best", choices=["fast", "balanced", "best"])
    parser.add_argument("--backend", default="auto")
    parser.add_argument(
        "--methods", nargs="+", default=["copy", "shape", "direct", "warp"], choices=list(LABELS)
    )
    parser.add_argument("--weights", default="", help="of fgplg, and for auto to choose from")
    parser.add_argument("--adapt", type=int, default=30, help="steps, of adapt")
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--keep", type=Path, help="keep vsodtool's outputs here; a second run continues them")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    sequences, results = find_sequences(arguments.root, arguments.sequences), Results()
    with tempfile.TemporaryDirectory() as temporary:
        for every in arguments.every:
            for method in arguments.methods:
                print(f"K={every} {method} ...", file=sys.stderr)
                start = time.perf_counter()
                if method in OURS:
                    name = f"{arguments.quality}-{every}" + ("" if method == "warp" else f"-{method}")
                    output = (arguments.keep or Path(temporary)) / name
                    report = run_ours(sequences, every, method, arguments, output)
                    seconds = time.perf_counter() - start
                    scores, worth = score_ours(sequences, every, output)
                    results.confidence[every] = worth
                    if method == "auto":
                        results.choices |= {(every, video.name): video for video in report.videos}
                else:
                    scores = {s.name: mean(score_frames(s, BASELINES[method](s, every))) for s in sequences}
                    seconds = time.perf_counter() - start
                results.scores[method, every], results.seconds[method, every] = scores, seconds
    lines = [f"## densify.py, {arguments.root.name}, quality {arguments.quality}", "", *header()]
    lines += [f"- seconds: {', '.join(f'{m} K={k} {s:.0f}' for (m, k), s in results.seconds.items())}", ""]
    lines += tables(results, sequences, arguments.methods, arguments.every)
    if "auto" in arguments.methods and {"warp", "fgplg"} & set(arguments.methods):
        lines += auto_table(results, sequences, arguments.methods, arguments.every)
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
