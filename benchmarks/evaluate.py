"""How fast is `evaluate` beside `pysodmetrics` in a plain loop, and are the published figures of DSS met?

    python benchmarks/evaluate.py ROOT [--sod MAPS MASKS] [--repeat 3] [--workers 0] [--noise 0]
                                  [--out FILE.md]

ROOT is a DAVIS-style folder with a mask for every frame. Soft predictions are made of its masks, shifted and
blurred by a seeded generator (`--noise` adds noise all over the frame, which is the hardest case for weighted
F), and lie in a temporary folder. Measured are MAE, S, F, E and weighted F under
`pysod`: the command `vsodtool evaluate` as a process, start-up included, and a loop that reads each pair of
files and hands it to the package, start-up not included. The two take turns; the greatest difference between
their averages is printed too. MAPS and MASKS are the DSS maps and the masks of SOD.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
from machine import header, publish

from vsodtool.checks import resolve_workers
from vsodtool.media.maps.trees import find_maps

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports warns of its own deprecations
    import py_sod_metrics

MEASURES = "mae,f,e,s_measure,weighted_f"
PUBLISHED = {"max_f": 0.844, "mean_f": 0.795, "mae": 0.121, "s_measure": 0.751}
SEED = 0


class Seconds(NamedTuple):
    """Duration on the clock, and of all cores together."""

    wall: float
    cpu: float


class Stopwatch:
    """Measures from when it is made; processes that have ended count as well."""

    def __init__(self) -> None:
        self._start = self._now()

    def read(self) -> Seconds:
        """Time since the start."""
        now = self._now()
        return Seconds(now.wall - self._start.wall, now.cpu - self._start.cpu)

    @staticmethod
    def _now() -> Seconds:
        return Seconds(time.perf_counter(), sum(os.times()[:4]))


def make_predictions(
    truth: dict[str, tuple[Path, ...]], folder: Path, noise: float
) -> list[tuple[Path, Path]]:
    """Soft maps of all masks; returns (prediction, truth) of every frame."""
    random = np.random.default_rng(SEED)
    pairs = []
    for video, files in truth.items():
        (folder / video).mkdir(parents=True)
        for file in files:
            mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
            shifted = np.roll(mask, random.integers(-8, 9, 2), (0, 1)).astype(np.float32)
            soft = cv2.GaussianBlur(shifted, (0, 0), random.uniform(2, 8))
            noisy = soft * random.uniform(0.7, 1) + (random.normal(0, noise, mask.shape) if noise else 0)
            prediction = folder / video / f"{file.stem}.png"
            cv2.imwrite(str(prediction), np.clip(noisy, 0, 255).astype(np.uint8))
            pairs.append((prediction, file))
    return pairs


def run_evaluate(predictions: Path, truth: Path, *options: str) -> tuple[Seconds, dict[str, Any]]:
    """Seconds of the command with its children, and what it printed."""
    command = [
        sys.executable,
        "-m",
        "vsodtool",
        "evaluate",
        str(predictions),
        str(truth),
        "--json",
        "--quiet",
    ]
    watch = Stopwatch()
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    seconds = watch.read()
    if done.returncode:
        raise SystemExit(done.stderr)
    return seconds, json.loads(done.stdout)


def run_loop(pairs: list[tuple[Path, Path]]) -> tuple[Seconds, dict[str, float]]:
    """Seconds of the package in a plain loop, and its averages by our names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mae, s, wf = py_sod_metrics.MAE(), py_sod_metrics.Smeasure(), py_sod_metrics.WeightedFmeasure()
        f, e = py_sod_metrics.Fmeasure(), py_sod_metrics.Emeasure()
    watch = Stopwatch()
    for prediction, truth in pairs:
        pred = cv2.imread(str(prediction), cv2.IMREAD_GRAYSCALE)
        gt = cv2.imread(str(truth), cv2.IMREAD_GRAYSCALE)
        for measure in (mae, s, wf, f, e):
            measure.step(pred=pred, gt=gt)
    seconds = watch.read()
    fm, em = f.get_results()["fm"], e.get_results()["em"]
    return seconds, {
        "mae": mae.get_results()["mae"],
        "s_measure": s.get_results()["sm"],
        "weighted_f": wf.get_results()["wfm"],
        "max_f": fm["curve"].max(),
        "mean_f": fm["curve"].mean(),
        "adaptive_f": fm["adp"],
        "max_e": em["curve"].max(),
        "mean_e": em["curve"].mean(),
        "adaptive_e": em["adp"],
    }


def run_reading(pairs: list[tuple[Path, Path]]) -> Seconds:
    """Seconds of reading the files, on one core."""
    watch = Stopwatch()
    for pair in pairs:
        for file in pair:
            cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    return watch.read()


def speed(root: Path, repeat: int, workers: int, noise: float) -> list[str]:
    """The figures of speed as markdown."""
    truth = find_maps(root)
    ours: list[Seconds] = []
    theirs: list[Seconds] = []
    reading: list[Seconds] = []
    difference = 0.0
    with tempfile.TemporaryDirectory() as folder:
        pairs = make_predictions(dict(truth.videos), Path(folder), noise)
        options = ("--protocol", "pysod", "--measures", MEASURES, "--workers", str(workers))
        for turn in range(repeat):
            print(f"turn {turn + 1} of {repeat} ...", file=sys.stderr)
            reading.append(run_reading(pairs))
            seconds, report = run_evaluate(Path(folder), truth.folder, *options)
            ours.append(seconds)
            seconds, averages = run_loop(pairs)
            theirs.append(seconds)
            found = report["scores"]
            difference = max(difference, *(abs(found[name] - value) for name, value in averages.items()))
    ratios = [loop.wall / own.wall for loop, own in zip(theirs, ours, strict=True)]
    kinds = {
        "reading the files, one core": reading,
        "pysodmetrics in a loop": theirs,
        "`vsodtool evaluate`, start-up included": ours,
    }
    rows = []
    for name, turns in kinds.items():
        wall, cpu = median(turn.wall for turn in turns), median(turn.cpu for turn in turns)
        rows.append(f"| {name} | {len(pairs) / wall:.1f} | {wall:.1f} | {cpu:.1f} |")
    return [
        f"{len(pairs)} frames, MAE + S + F + E + weighted F, {resolve_workers(workers)} workers, "
        f"{f'noise σ = {noise:g} of 255' if noise else 'no noise'}, median of {repeat}:",
        "",
        "| | frames/s | seconds | CPU seconds |",
        "|---|---:|---:|---:|",
        *rows,
        "",
        f"`evaluate` is {median(ratios):.1f} times as fast (turns: {', '.join(f'{r:.1f}' for r in ratios)}); "
        f"greatest difference of an average: {difference:.1e}",
    ]


def published(maps: Path, masks: Path) -> list[str]:
    """The figures of DSS on SOD as markdown."""
    _, report = run_evaluate(maps, masks, "--protocol", "toolbox", "--measures", "mae,f,s_measure")
    lines = ["", "DSS on SOD, protocol `toolbox`:", "", "| | published | found |", "|---|---:|---:|"]
    for name, value in PUBLISHED.items():
        lines.append(f"| {name} | {value:.3f} | {report['scores'][name]:.4f} |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--sod", type=Path, nargs=2, metavar=("MAPS", "MASKS"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--noise", type=float, default=0.0, help="standard deviation, of 255")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    lines = [f"## evaluate.py, {arguments.root.name}", "", *header(), ""]
    lines += speed(arguments.root, arguments.repeat, arguments.workers, arguments.noise)
    if arguments.sod:
        lines += published(*arguments.sod)
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
