"""How many masks does an annotator have to draw until the others are good enough?

    python benchmarks/labels_needed.py ROOT WORK [--method shape --method warp --method 'NAME=FLAGS' ...]
        [--spacing ends inset] [--target 0.9] [--ladder 40 30 20 15 10 8 6 5 4 3 2] [--sequences NAME ...]
        [--out FILE.md]

For each video the largest K of the ladder is sought at which the mean J of the frames that were not given
reaches the target, when masks 0, K, 2K, ... and the last are given (ends), or every K-th from K/3 on (inset),
as `vsodtool suggest --every K`; that J grows as K shrinks is assumed, so the ladder is bisected. A video that
never gets there counts with all its frames.

A method is shape (interpolation of signed distances), copy or direct (baselines.py), warp, or a name of your
choice with options of `vsodtool pseudolabel`: --method 'learned=--method fgplg --weights FILE'.
The same command continues an interrupted run: each J is kept in WORK/labels_needed.json under the video, the
options, K and the hash of files that the options name; after a change of vsodtool itself use another WORK.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Row
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from davis import Sequence, find_sequences
from densify import BASELINES
from machine import header, publish
from shell import Kept, digests, vsodtool

from vsodtool.media.images import read_grey
from vsodtool.metrics import region_j

LADDER = (40, 30, 20, 15, 10, 8, 6, 5, 4, 3, 2)


class Method(NamedTuple):
    """A way to fill in masks.

    Attributes:
        name: for the table.
        flags: options of `vsodtool pseudolabel`; empty for one of BASELINES.
    """

    name: str
    flags: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Method:
        """From NAME or NAME=FLAGS."""
        name, has_flags, flags = text.partition("=")
        if has_flags:
            return cls(name, tuple(shlex.split(flags)))
        return cls(name, () if name in BASELINES else ("--method", name))

    def key(self) -> str:
        """What tells its results apart: options, and the contents of the files that they name."""
        return " ".join([*(self.flags or (self.name,)), *digests(self.flags)])


def coarsest(ladder: Row[int], reaches: Callable[[int], bool]) -> int | None:
    """The first rung of a descending ladder that reaches the target, or None; by bisection.

    `reaches` is asked at most 1 + log2(len(ladder)) times and is assumed to stay true once it is.
    """
    low, high = 0, len(ladder)
    while low < high:
        middle = (low + high) // 2
        if reaches(ladder[middle]):
            high = middle
        else:
            low = middle + 1
    return ladder[low] if low < len(ladder) else None


def measure_j(sequence: Sequence, method: Method, every: int, work: Path) -> float:
    """Mean J of the frames that were not given, masks cut at 127; 1 where all were given."""
    if method.flags:
        output = work / "labels" / f"{sequence.name}-{every}"
        shutil.rmtree(output, ignore_errors=True)
        masks = work / "masks" / f"{sequence.name}-{every}"
        shutil.rmtree(masks, ignore_errors=True)
        masks.mkdir(parents=True)
        for index in sequence.given(every):
            shutil.copyfile(sequence.masks[index], masks / sequence.masks[index].name)
        vsodtool("pseudolabel", sequence.frames[0].parent, "--masks", masks, "-o", output, *method.flags)
        frames = _written(sequence, every, output / "masks" / sequence.name)
    else:
        frames = BASELINES[method.name](sequence, every)
    scores = [region_j(mask, read_grey(sequence.masks[index]) > 127) for index, mask in frames]
    if method.flags:
        shutil.rmtree(output)
        shutil.rmtree(masks)
    return float(np.mean(scores)) if scores else 1.0


def _written(sequence: Sequence, every: int, folder: Path) -> Iterator[tuple[int, np.ndarray]]:
    given = set(sequence.given(every))
    for index, frame in enumerate(sequence.frames):
        if index not in given:
            yield index, read_grey(folder / f"{frame.stem}.png") > 127


class Need(NamedTuple):
    """What a video needs.

    Attributes:
        every: the K that is enough; None for never.
        j: at it; for never that of the finest rung.
        masks: how many are drawn.
    """

    every: int | None
    j: float
    masks: int


def table(sequences: Row[Sequence], found: dict[str, dict[str, Need]]) -> list[str]:
    """Per video and method: masks drawn, K and J there; then the totals.

    Args:
        sequences: that were measured.
        found: method -> video -> what it needs.
    """
    head = "".join(f" {name}: masks | K | J |" for name in found)
    lines = [f"| video | frames |{head}", "|---|---|" + "---|" * (3 * len(found))]
    totals = dict.fromkeys(found, 0)
    for sequence in sequences:
        cells = ""
        for name, results in found.items():
            every, j, count = results[sequence.name]
            totals[name] += count
            cells += f" {count} | {every or 'never'} | {j:.3f} |"
        lines.append(f"| {sequence.name} | {len(sequence.frames)} |{cells}")
    frames = sum(len(sequence.frames) for sequence in sequences)
    cells = "".join(f" **{totals[name]}** | {totals[name] / frames:.0%} | |" for name in found)
    return [*lines, f"| all, share of the frames | {frames} |{cells}"]


def labels(sequence: Sequence, every: int | None) -> int:
    """Masks drawn with every K-th given; all of them where no K is enough."""
    return len(sequence.frames) if every is None else len(sequence.given(every))


def search(sequence: Sequence, method: Method, options: argparse.Namespace, kept: Kept) -> Need:
    """The K that is needed, and what comes of it."""

    def j_at(every: int) -> float:
        spacing = " | inset" if sequence.inset else ""
        name = f"{sequence.name} | {method.key()} | {every}{spacing}"
        if name not in kept:
            kept[name] = measure_j(sequence, method, every, options.work)
            print(f"{sequence.name} {method.name} K={every}: J {kept[name]:.4f}", file=sys.stderr, flush=True)
        return float(kept[name])

    ladder = sorted(set(options.ladder), reverse=True)
    every = coarsest(ladder, lambda rung: j_at(rung) >= options.target)
    return Need(every, j_at(ladder[-1] if every is None else every), labels(sequence, every))


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style root with a mask for every frame")
    parser.add_argument("work", type=Path, help="folder for what is kept")
    parser.add_argument("--method", action="append", type=Method.parse, help="NAME or NAME=FLAGS; repeatable")
    parser.add_argument("--spacing", nargs="+", choices=("ends", "inset"), default=("ends",))
    parser.add_argument("--target", type=float, default=0.9, help="mean J")
    parser.add_argument("--ladder", type=int, nargs="+", default=LADDER)
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    if min(options.ladder) < 2:
        parser.error("--ladder: expected whole numbers of at least 2")
    methods = options.method or [Method.parse("shape"), Method.parse("warp")]
    if "inset" in options.spacing and any(not method.flags for method in methods):
        parser.error("--spacing inset: shape, copy and direct fill between two masks only")
    sequences = find_sequences(options.root, options.sequences)
    kept = Kept(options.work / "labels_needed.json", {"root": str(options.root.resolve())})
    found = {}
    for spacing in options.spacing:
        placed = [replace(sequence, inset=spacing == "inset") for sequence in sequences]
        for method in methods:
            name = method.name if len(options.spacing) == 1 else f"{method.name}, {spacing}"
            found[name] = {each.name: search(each, method, options, kept) for each in placed}
    lines = [f"## labels_needed.py, {options.root.name}, J >= {options.target}", "", *header(), ""]
    lines += table(sequences, found)
    lines += ["", f"Ladder of K: {', '.join(map(str, sorted(set(options.ladder), reverse=True)))}.", ""]
    publish(lines, options.out)


if __name__ == "__main__":
    main()
