"""A detector of one's own from a few videos: is it as good elsewhere as the one that it began with?

    python benchmarks/own_detector.py ROOT WORK [--counts 1 2 4] [--seeds 0 1] [--minutes 2 | --steps 60]
        [--every 5] [--measure 0.4] [--wrong] [--sequences NAME ...] [--train-options "..."] [--out FILE.md]

For every count and seed that many sequences of ROOT are drawn; `pseudolabel` makes labels of every fifth
mask, `train --config train-video-looks` learns them, and `predict` looks at the others, at a share of each
(--measure) from its middle. Beside it stands what the weights say that it began with: S of protocol davsod,
J of the map cut at 0.5 (protocol davis), of the best and of the final weights. With --wrong each sequence
gets the masks of the next one in the alphabet, for training and for its validation: `best` has to be the
start then. --steps does the work of a quiet machine on a busy one: so many steps, in three epochs.

ROOT only measures what was chosen elsewhere. The same command continues an interrupted run.
"""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish
from parts import link_part
from shell import Kept, vsodtool

CONFIG, START = "train-video-looks", "rcrnet-ner-looks"


def drawn(sequences: list[Sequence], count: int, seed: int) -> list[Sequence]:
    """Some of the sequences, in their order."""
    chosen = np.random.default_rng([seed, count]).permutation(len(sequences))[:count]
    return [sequences[number] for number in sorted(chosen)]


def middle(share: float, count: int) -> range:
    """So much of `count` frames, from the middle."""
    taken = max(round(share * count), 3)
    return range((count - taken) // 2, (count - taken) // 2 + taken)


def borrowed(sequences: list[Sequence]) -> list[Sequence]:
    """Each with the masks of the next one, as many as both have."""
    pairs = zip(sequences, sequences[1:] + sequences[:1], strict=True)
    return [
        replace(one, frames=one.frames[: len(other.masks)], masks=other.masks[: len(one.frames)])
        for one, other in pairs
    ]


def score(maps: Path, truth: Path) -> dict[str, dict[str, float]]:
    """By video S (davsod) and J (davis) of the maps in a folder."""
    saliency = vsodtool("evaluate", maps, truth, "--protocol", "davsod", "--measures", "s_measure")
    region = vsodtool("evaluate", maps, truth, "--protocol", "davis", "--measures", "j")
    return {
        name: {"S": saliency["videos"][name]["s_measure"], "J": region["videos"][name]["j_mean"]}
        for name in saliency["videos"]
    }


class Bench:
    """Labels, runs and maps below WORK, each made once."""

    def __init__(self, options: argparse.Namespace, sequences: list[Sequence]) -> None:
        self.options, self.sequences, self.work = options, sequences, options.work
        settings = {
            name: getattr(options, name) for name in ("every", "measure", "minutes", "steps", "train_options")
        }
        self.kept = Kept(self.work / "results.json", {"root": str(options.root.resolve()), **settings})

    def labels(self, sequence: Sequence, group: str) -> Path:
        """OUT of `pseudolabel` of one sequence."""
        root = link_part(self.work / group / sequence.name / "clip", [sequence])
        out: Path = self.work / group / sequence.name / "labels"
        more = ["--allow-misfit"] if group == "wrong" else []
        vsodtool(
            *("pseudolabel", root, "--masks", root, "--every", str(self.options.every), "-o", out),
            *("--confidence", *more),
        )
        return out

    def scores(
        self, name: str, weights: str | Path, sequences: list[Sequence]
    ) -> dict[str, dict[str, float]]:
        """What weights find in the measured part of sequences."""
        if name not in self.kept:
            names = [sequence.name for sequence in sequences]
            truth = link_part(
                self.work / "measured", self.sequences, lambda count: middle(self.options.measure, count)
            )
            inputs = [truth / "JPEGImages" / each for each in names]
            maps = self.work / "maps" / name
            vsodtool("predict", *inputs, "--weights", weights, "-o", maps, "--masks")
            few = link_part(
                self.work / "truth" / name, sequences, lambda count: middle(self.options.measure, count)
            )
            self.kept[name] = score(maps, few)
        found: dict[str, dict[str, float]] = self.kept[name]
        return found

    def train(self, name: str, labels: list[Path], seed: int) -> dict[str, Any]:
        """A run on the labels of some sequences."""
        if name not in self.kept:
            length = ["--minutes", str(self.options.minutes)]
            if self.options.steps:
                length = [
                    "--minutes",
                    "0",
                    "--epochs",
                    "3",
                    "--steps-per-epoch",
                    str(self.options.steps // 3),
                ]
            data = [word for label in labels for word in ("--data", label)]
            self.kept[name] = vsodtool(
                *("train", "video", "--config", CONFIG, *data, "-o", self.work / "runs" / name),
                *("--seed", str(seed), *length, *shlex.split(self.options.train_options)),
            )
        found: dict[str, Any] = self.kept[name]
        return found

    def row(self, count: int, seed: int, group: str) -> list[Any]:
        """Trained on some, measured on the others: seconds, whether it paid, differences to the start."""
        chosen = drawn(self.sequences, count, seed)
        others = [sequence for sequence in self.sequences if sequence not in chosen]
        names = {sequence.name for sequence in chosen}
        given = (
            chosen if group == "right" else [each for each in borrowed(self.sequences) if each.name in names]
        )
        name = f"{group}-{count}-{seed}"
        report = self.train(name, [self.labels(sequence, group) for sequence in given], seed)
        began = self.scores("start", START, self.sequences)
        cells: list[Any] = [
            group,
            ", ".join(sorted(names)),
            report["steps"],
            report["seconds"],
            report["paid"],
        ]
        for file in ("best", "final"):
            if file == "best" and not report["paid"]:
                cells += [0.0, 0.0]  # it is the start
                continue
            found = self.scores(f"{name}-{file}", self.work / "runs" / name / f"{file}.safetensors", others)
            for measure in ("S", "J"):
                cells.append(np.mean([found[each][measure] - began[each][measure] for each in found]))
        return cells


def main() -> None:
    """Label, train, predict, evaluate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style root with a mask for every frame")
    parser.add_argument("work", type=Path, help="folder for everything that is made")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--every", type=int, default=5)
    parser.add_argument("--measure", type=float, default=1.0, help="share of each other sequence")
    parser.add_argument("--wrong", action="store_true", help="masks of other sequences, too")
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--train-options", default="", help="more options of `train`")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    bench = Bench(options, find_sequences(options.root, options.sequences))
    head = "| labels | trained on | steps | seconds | paid | best: S | J | final: S | J |"
    lines = [f"## own_detector.py, {options.root.name}", "", *header(), "", head, "|---" * 9 + "|"]
    for group in ("right", "wrong") if options.wrong else ("right",):
        for count in options.counts:
            for seed in options.seeds:
                found, names, steps, seconds, paid, *gains = bench.row(count, seed, group)
                told = " | ".join(f"{gain:+.4f}" for gain in gains)
                lines.append(
                    f"| {found} | {names} | {steps} | {seconds:.0f} | {'yes' if paid else 'no'} | {told} |"
                )
    publish([*lines, ""], options.out)


if __name__ == "__main__":
    main()
