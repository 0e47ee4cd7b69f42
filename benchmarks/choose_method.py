"""How much does `--method auto` lose to the better method, under several margins?

    python benchmarks/choose_method.py ROOT [--every 10] [--sequences NAME ...] [--out FILE.md]

Four variants of warp stand for methods of which now one, now the other is better: as it is, without search
and edges, with the carried labels only, with the refined ones only. Each ordered pair of them is (default,
other). A loss is the mean J over the real frames of the better of the two, minus that of the one chosen from
hidden labels.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations, product
from pathlib import Path
from statistics import fmean, stdev

import torch
from davis import find_sequences
from machine import header, publish

from vsodtool.media.masks.sparse import MaskSet, match_masks
from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.confidence import trust
from vsodtool.ops.labels.rules import label_by_rules
from vsodtool.pipelines.densify.choosing.hidden_labels import schedule_trial
from vsodtool.pipelines.densify.choosing.trial import hidden_js, stream_tests
from vsodtool.pipelines.densify.filling.evidence import Evidence
from vsodtool.pipelines.densify.filling.fill import densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, SparseVideo
from vsodtool.pipelines.densify.method import Wants, WarpMethod
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ignore_event

QUALITY = "balanced"
NOISES, CAUTIONS = (0.0, 0.005, 0.01, 0.02), (0.0, 0.5, 1.0)
Table = dict[int, dict[str, float]]  # J by frame and method


class Variant:
    """One of the stand-ins."""

    wants = Wants.BOXES

    def __init__(self, name: str, generate: Callable[[Evidence], SoftLabel]) -> None:
        self.name, self.generate = name, generate


def one_way(name: str, number: int) -> Variant:
    """Fusion of the labels that came one way only: 0 carried, 1 refined."""

    def generate(evidence: Evidence) -> SoftLabel:
        labels, views, consistency = (
            maps[number::2] for maps in (evidence.labels, evidence.views, evidence.consistency)
        )
        fused = label_by_rules(evidence.image, labels, views, consistency, search=None, edges=False)
        return evidence.answer(fused.labels, trust(fused.support))

    return Variant(name, generate)


VARIANTS = [
    Variant("warp", rules(QUALITY).generate),
    Variant("fused", WarpMethod(None).generate),
    one_way("carried", 0),
    one_way("refined", 1),
]
NAMES = [variant.name for variant in VARIANTS]


def measure(intervals: Iterable[Interval], source: FrameSource, truth: MaskSet, workers: Workers) -> Table:
    """J of every target of the intervals, by every variant."""
    estimators, lock = motion_estimators("dis", QUALITY, torch.device("cpu"), ignore_event), threading.Lock()
    found: Table = {}

    def score(name: str, label: SoftLabel) -> None:
        ids = truth.object_ids
        reached = hidden_js(label, truth.read(source.names[label.index]), ids, [True] * len(ids))
        with lock:
            found.setdefault(label.index, {})[name] = fmean(reached.values())

    for interval in intervals:
        densify(interval, VARIANTS, estimators, workers=workers, on_label=score)
        interval.frames.close()
    return found


def loss(hidden: Table, real: dict[str, float], pair: tuple[str, str], margin: tuple[float, float]) -> float:
    """What a choice between (default, other) by a margin of (noise, caution) loses."""
    default, other = pair
    differences = [reached[other] - reached[default] for reached in hidden.values()]
    spread = stdev(differences) if len(differences) > 1 else 0.0
    needed = max(margin[1] * spread, margin[0]) / math.sqrt(len(differences))
    return max(real[default], real[other]) - real[other if fmean(differences) > needed else default]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    measured: list[tuple[Table, dict[str, float]]] = []
    lines = [f"## choose_method.py, {arguments.root.name}, K={arguments.every}", "", *header(), ""]
    lines += [f"| video | tests | J, hidden J of {' | '.join(NAMES)} |", "|---|---|" + "---|" * len(NAMES)]
    with ThreadPoolExecutor() as pool, tempfile.TemporaryDirectory() as folder:
        spill = Path(folder)
        for sequence in find_sequences(arguments.root, arguments.sequences):
            source = open_frames(discover_videos([str(sequence.frames[0].parent)])[0])
            truth, masks = (
                match_masks(sequence.masks[0].parent, [source], every)[sequence.name]
                for every in (0, arguments.every)
            )
            workers = Workers(pool)
            tests = schedule_trial(source, masks).tests
            video = SparseVideo(source, masks, spill)
            found = measure(video.intervals(set()), source, truth, workers)
            hidden = measure(stream_tests(video, tests), source, truth, workers)
            if not hidden:
                continue
            real = {name: fmean(reached[name] for reached in found.values()) for name in NAMES}
            measured.append((hidden, real))
            on_hidden = {name: fmean(reached[name] for reached in hidden.values()) for name in NAMES}
            cells = " | ".join(f"{real[name]:.4f}, {on_hidden[name]:.4f}" for name in NAMES)
            lines.append(f"| {sequence.name} | {len(hidden)} | {cells} |")
            print(lines[-1], flush=True)
    lines += ["", "| noise | caution | mean loss | greatest | above 0.005 |", "|---|---|---|---|---|"]
    for margin in product(NOISES, CAUTIONS):
        losses = [loss(*video, pair, margin) for video in measured for pair in permutations(NAMES, 2)]
        above = sum(value > 0.005 for value in losses)
        cells = f"{fmean(losses):.5f} | {max(losses):.4f} | {above} of {len(losses)}"
        lines.append(f"| {margin[0]} | {margin[1]} | {cells} |")
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
