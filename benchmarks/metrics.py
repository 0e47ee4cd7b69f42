"""Milliseconds per frame of each measure, beside `pysodmetrics`: one core, frames in memory, no files.

    python benchmarks/metrics.py ROOT [--every 20] [--out FILE.md]

ROOT holds one folder of PNG masks per video, somewhere below. Three kinds of predictions are made from every
`--every`th mask, all of them shifted by 5 pixels: the mask itself, blurred (soft edges), and blurred with
noise all over the frame (no pixel is right). The greatest difference of any score is printed too.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from machine import header, publish

from vsodtool.media.images import read_grey
from vsodtool.metrics import score_frame

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports warns of its own deprecations
    import py_sod_metrics

Map = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Score = npt.NDArray[np.float64]

FIVE = ("mae", "f", "e", "s_measure", "weighted_f")
# ours, class of theirs, ours out of the scores, theirs out of the results
MEASURES: tuple[tuple[str, str, Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("mae", "MAE", lambda s: s.mae, lambda r: r["mae"]),
    ("f", "Fmeasure", lambda s: s.f_curve[::-1], lambda r: r["fm"]["curve"]),
    ("e", "Emeasure", lambda s: s.e_curve[::-1], lambda r: r["em"]["curve"]),
    ("s_measure", "Smeasure", lambda s: s.s_measure, lambda r: r["sm"]),
    ("weighted_f", "WeightedFmeasure", lambda s: s.weighted_f, lambda r: r["wfm"]),
)


def predictions(truth: Mask, rng: np.random.Generator) -> Iterator[tuple[str, Map]]:
    """Three predictions of a mask."""
    shifted = np.roll(truth, 5, axis=1).astype(np.uint8) * 255
    blurred = np.asarray(cv2.GaussianBlur(shifted, (0, 0), 9), np.uint8)
    yield "mask", shifted
    yield "soft", blurred
    yield "noise", np.clip(blurred + rng.integers(0, 12, blurred.shape), 0, 255).astype(np.uint8)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds and the result."""
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1e3, result


def ask(name: str, prediction: Map, truth: Map) -> Any:
    """What pysodmetrics says about one frame."""
    measure = getattr(py_sod_metrics, name)()
    measure.step(prediction, truth)
    return measure.get_results()


def measure_frames(files: list[Path]) -> tuple[dict[tuple[str, str], list[float]], float]:
    """Milliseconds by (kind of prediction, measure and package), and the greatest difference of a score."""
    rng = np.random.default_rng(0)
    times: dict[tuple[str, str], list[float]] = {}
    worst = 0.0
    for path in files:
        truth = read_grey(path) > 128
        truth8 = truth.astype(np.uint8) * 255
        for kind, prediction in predictions(truth, rng):
            for ours, theirs, pick, pick_theirs in MEASURES:
                spent, scores = timed(lambda m=ours, p=prediction, t=truth: score_frame(p, t, measures=[m]))
                times.setdefault((kind, ours), []).append(spent)
                spent, results = timed(lambda m=theirs, p=prediction, t=truth8: ask(m, p, t))
                times.setdefault((kind, f"{ours} theirs"), []).append(spent)
                worst = max(worst, float(np.abs(np.asarray(pick(scores)) - pick_theirs(results)).max()))
            spent, _ = timed(lambda p=prediction, t=truth: score_frame(p, t, measures=FIVE))
            times.setdefault((kind, "all five"), []).append(spent)
    return times, worst


def table(times: dict[tuple[str, str], list[float]]) -> list[str]:
    """A line per kind of prediction, cells `ours / theirs`."""
    names = [ours for ours, *_ in MEASURES]
    lines = [
        "| prediction | " + " | ".join(names) + " | all five in one call |",
        "|---" * (len(names) + 2) + "|",
    ]
    for kind in dict.fromkeys(kind for kind, _ in times):
        cells = [f"{mean(times[kind, n]):.1f} / {mean(times[kind, f'{n} theirs']):.1f}" for n in names]
        five, theirs = mean(times[kind, "all five"]), sum(mean(times[kind, f"{n} theirs"]) for n in names)
        cells += [f"{five:.1f} / {theirs:.1f} = {theirs / five:.1f}x"]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    files = sorted(arguments.root.rglob("*.png"))[:: arguments.every]
    if not files:
        raise SystemExit(f"{arguments.root}: no PNG masks found")
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", message="This class will be removed in the future")
    times, worst = measure_frames(files)
    text = ["## Measures beside pysodmetrics", "", *header(), ""]
    text += [f"{len(files)} frames, milliseconds per frame, vsodtool / pysodmetrics:", "", *table(times), ""]
    text += [f"Greatest difference of any score: {worst:.1e}.", ""]
    publish(text, arguments.out)


if __name__ == "__main__":
    main()
