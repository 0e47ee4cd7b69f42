"""Which frames should an annotator mask? Rules against equal spacing, all videos together.

    python benchmarks/next_frame.py ROOT WORK [--rule equal inset spread suggest suggest-5 oracle]
        [--target .85 .875 .90] [--quality fast] [--height 240] [--most 0.2] [--limit 0.35]
        [--sequences NAME ...] [--out FILE.md]

The truth stands in for the annotator. All videos share one budget: a rule says which frame of which video
comes next, two labels per video are given at the start, a third of a gap from the ends. Frames are filled by
`--method warp`; J is the mean over all frames, given ones counted as 1.

equal: in every video one label per K frames, the first and the last frame among them; inset: as often, but a
third of a gap from both ends. Both for all K. spread: frame by frame, as if all frames were equally doubtful.
suggest: `vsodtool suggest`, frame by frame; suggest-5: five at a time. oracle: as suggest, but by the true
errors. confidence: as suggest, without hidden labels. third: as suggest, but every video gets its third
label, and with it its first hidden one, before any gets a fourth.

What an interval between two labels comes to does not depend on the others, so each is kept in WORK: the same
command continues, and another rule is cheap. After a change of vsodtool itself use another WORK.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Row
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool.media.images import read_grey, read_rgb
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.metrics import region_j, spearman
from vsodtool.ops.suggesting.reach import reaches
from vsodtool.ops.suggesting.spacing import inset
from vsodtool.ops.suggesting.suggestion import KnownVideo, estimate, suggest
from vsodtool.pipelines.densify.filling.fill import densify
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_channels
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import Frame, ignore_event

RULES = ("equal", "inset", "spread", "suggest", "suggest-5", "oracle", "confidence", "third")
SHARES = (0.05, 0.1, 0.2)  # of the frames, where the worst video is looked at
Floats = npt.NDArray[np.float64]


class Filled(NamedTuple):
    """What the frames between two labels come to.

    Attributes:
        j: of each frame.
        confidence: of each frame.
    """

    j: list[float]
    confidence: list[float]


class Filler:
    """Fills the intervals of a video, and remembers them."""

    def __init__(self, sequence: Sequence, options: argparse.Namespace) -> None:
        self.name, self.count = sequence.name, len(sequence.frames)
        self._sequence, self._height = sequence, options.height
        self._estimators = motion_estimators("dis", options.quality, torch.device("cpu"), ignore_event)
        self._method = rules(options.quality)
        self._path = options.work / f"{sequence.name}-{options.quality}-{options.height}.jsonl"
        self._known: dict[tuple[int, int, int], Filled] = {}  # left, right, first or (negative) only frame
        if self._path.is_file():
            for line in self._path.read_text("utf-8").splitlines():
                if line.endswith("}"):
                    entry = json.loads(line)
                    self._known[tuple(entry["key"])] = Filled(entry["j"], entry["confidence"])

    def between(self, left: int, right: int) -> Filled:
        """The frames between two labels; -1 and the number of frames stand for no label."""
        return self._remembered(left, right, range(left + 1, right))

    def one(self, left: int, index: int, right: int) -> float:
        """J of one frame between two labels."""
        whole = self._known.get((left, right, left + 1))
        return whole.j[index - left - 1] if whole else self._remembered(left, right, [index]).j[0]

    def _remembered(self, left: int, right: int, targets: Row[int]) -> Filled:
        key = left, right, targets[0] if targets else -1
        if len(targets) == 1 and right - left > 2:
            key = left, right, -targets[0]
        if key not in self._known:
            filled = self._fill(left, right, targets)
            self._known[key] = filled
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **filled._asdict()}) + "\n")
        return self._known[key]

    def _fill(self, left: int, right: int, targets: Row[int]) -> Filled:
        frames = FrameStore(None, self._path.parent)
        passed = [index for index in range(left + 1, right) if index not in targets]
        for index in range(left + 1, right):
            frames.put(Frame(index, f"{index:05d}", self._rgb(index)))
        interval = Interval(self._labelled(left), self._labelled(right), list(targets), frames, passed)
        found: dict[int, tuple[float, float]] = {}

        def score(_: str, label: SoftLabel) -> None:
            j = region_j(label.ids([1]) > 0, self._mask(label.index))
            found[label.index] = j, label.frame_confidence

        with ThreadPoolExecutor(1) as pool:
            densify(interval, [self._method], self._estimators, workers=Workers(pool), on_label=score)
        frames.close()
        scores = [found[index] for index in targets]
        return Filled([round(j, 5) for j, _ in scores], [round(sure, 5) for _, sure in scores])

    def _labelled(self, index: int) -> LabelledFrame | None:
        if not 0 <= index < self.count:
            return None
        labels = to_channels(self._mask(index).astype(np.uint16), [1])
        return LabelledFrame(index, f"{index:05d}", self._rgb(index), labels)

    def _rgb(self, index: int) -> npt.NDArray[np.uint8]:
        return self._shrunk(read_rgb(self._sequence.frames[index]))

    def _mask(self, index: int) -> npt.NDArray[np.bool_]:
        drawn = (read_grey(self._sequence.masks[index]) > 127).astype(np.uint8) * 255
        return self._shrunk(drawn) > 127

    def _shrunk(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        size = round(width * self._height / height), self._height
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


@dataclass
class State:
    """A video with some labels.

    Attributes:
        filler: of the video.
        labels: ascending.
        j: of every frame, 1 for labelled ones.
        confidence: alike.
    """

    filler: Filler
    labels: list[int]
    j: Floats = field(init=False)
    confidence: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Fill what lies between the labels."""
        self.j, self.confidence = np.ones(self.filler.count), np.ones(self.filler.count)
        for left, right in pairwise([-1, *self.labels, self.filler.count]):
            filled = self.filler.between(left, right)
            self.j[left + 1 : right], self.confidence[left + 1 : right] = filled

    def hidden(self) -> dict[int, float]:
        """1 - J of every label that lies between two, made from these."""
        return {
            here: 1 - self.filler.one(before, here, after)
            for before, here, after in zip(self.labels, self.labels[1:], self.labels[2:], strict=False)
        }

    def known(self, *, hidden: bool = True) -> KnownVideo:
        """What the rule is told."""
        errors = {frame: {1: error} for frame, error in self.hidden().items()} if hidden else {}
        return KnownVideo(self.filler.count, self.labels, self.confidence, errors)

    def truth(self) -> KnownVideo:
        """What the oracle is told: an error per reach of 1 / frames, as without hidden labels, cancels."""
        far = reaches(self.labels, self.filler.count)
        error = np.divide(1 - self.j, far, out=np.zeros(self.filler.count), where=far > 0)
        return KnownVideo(self.filler.count, self.labels, 1 - error)


class Point(NamedTuple):
    """Where a rule is after so many labels: the mean J of all frames, of those not given, of the worst video,
    and what `suggest` would print for all (None: nothing)."""

    labels: int
    j: float
    others: float
    worst: float
    estimated: float | None


def measure(states: Row[State], *, estimated: bool = False) -> Point:
    """The point of some states."""
    j = np.concatenate([state.j for state in states])
    given = sum(len(state.labels) for state in states)
    worst = min(float(state.j.mean()) for state in states)
    others = (float(j.sum()) - given) / (len(j) - given)
    guess = estimate([state.known() for state in states]) if estimated else None
    return Point(given, float(j.mean()), others, worst, guess)


def spaced(
    fillers: Row[Filler], limit: int, targets: Row[float], place: Callable[[int, int], list[int]]
) -> list[Point]:
    """The same spacing in all videos: two labels each, then one more where gaps are longest, and so on.

    Looked at are a few numbers of labels, and those between which a target is reached, by bisection.

    Args:
        fillers: of the videos.
        limit: labels in all.
        targets: mean J.
        place: frames and number of labels -> the labels.
    """
    counts = [[2] * len(fillers)]
    while sum(counts[-1]) < limit:
        now = counts[-1]
        gaps = [max(np.diff(place(each.count, count))) for each, count in zip(fillers, now, strict=True)]
        longest = int(np.argmax(gaps))
        counts.append([count + (at == longest) for at, count in enumerate(now)])
    points: dict[int, Point] = {}

    def look(at: int) -> Point:
        if at not in points:
            states = [
                State(each, place(each.count, count)) for each, count in zip(fillers, counts[at], strict=True)
            ]
            points[at] = measure(states)
            print(f"{points[at].labels} labels: {points[at].j:.4f}", file=sys.stderr, flush=True)
        return points[at]

    at, looked = 0, [0]
    while look(at).j < max(targets) and at < len(counts) - 1:
        at = min(at + max(sum(counts[at]) // 3, 1), len(counts) - 1)
        looked.append(at)
    for target in targets:
        for start, end in pairwise(looked):
            low, high = start, end
            while high - low > 1 and look(low).j < target <= look(high).j:
                middle = (low + high) // 2
                low, high = (low, middle) if look(middle).j >= target else (middle, high)
    frames = sum(each.count for each in fillers)
    for share in SHARES:  # where the worst video is looked at
        if sum(counts[looked[-1]]) >= share * frames - 5:
            look(max(at for at, own in enumerate(counts) if sum(own) <= max(share * frames, sum(counts[0]))))
    return [points[at] for at in sorted(points)]


def with_ends(frames: int, count: int) -> list[int]:
    """Equally spaced, the first and the last frame among them."""
    return [round(place * (frames - 1) / (count - 1)) for place in range(count)]


def chosen(fillers: Row[Filler], most: int, rule: str, batch: int) -> Iterator[Point]:
    """Labels chosen by a rule, `batch` at a time."""
    states = [State(each, inset(each.count, 2)) for each in fillers]
    while sum(len(state.labels) for state in states) <= most:
        yield measure(states, estimated=rule == "suggest")
        asked = list(range(len(states)))
        if rule == "third":
            asked = [at for at in asked if len(states[at].labels) < 3] or asked
        found = suggest([_told(states[at], rule) for at in asked], batch)
        more = [replace(each, video=asked[each.video]) for each in found]
        if not more:
            return
        for number in {each.video for each in more}:
            frames = [each.frame for each in more if each.video == number]
            states[number] = State(fillers[number], sorted([*states[number].labels, *frames]))


def _told(state: State, rule: str) -> KnownVideo:
    if rule == "oracle":
        return state.truth()
    if rule == "spread":
        return KnownVideo(state.filler.count, state.labels, np.zeros(state.filler.count))
    return state.known(hidden=rule != "confidence")


def curve(rule: str, fillers: Row[Filler], options: argparse.Namespace) -> list[Point]:
    """The points of a rule, until all targets are reached, or it gives up."""
    frames = sum(each.count for each in fillers)
    limit, full = int(options.limit * frames), options.most * frames
    if rule in ("equal", "inset"):
        return spaced(fillers, limit, options.target, inset if rule == "inset" else with_ends)
    name, _, batch = rule.partition("-")
    points = []
    for point in chosen(fillers, limit, name, int(batch or 1)):
        points.append(point)
        print(f"{rule}, {point.labels} labels: {point.j:.4f}", file=sys.stderr, flush=True)
        if point.j >= max(options.target) and point.labels >= full:
            break
    return points


def needed(points: Row[Point], target: float) -> int | None:
    """The fewest labels at which J reaches the target."""
    return next((point.labels for point in points if point.j >= target), None)


def area(points: Row[Point], frames: int, most: float) -> float:
    """The mean J over shares of labelled frames, from that at the start to `most`."""
    shares = np.array([point.labels / frames for point in points])
    grid = np.linspace(shares[0], most, 200)
    return float(np.interp(grid, shares, [point.j for point in points]).mean())


def worst_at(points: Row[Point], frames: int, share: float) -> float | None:
    """J of the worst video with as many labels as are allowed."""
    allowed = [point for point in points if point.labels <= share * frames]
    return allowed[-1].worst if allowed and points[-1].labels >= share * frames - 5 else None


def table(curves: Mapping[str, Row[Point]], frames: int, options: argparse.Namespace) -> list[str]:
    """Rules by labels until each target, area, and worst video."""
    head = [f"≥ {target:g}" for target in options.target]
    head += [f"area to {options.most:.0%}", *(f"worst at {share:.0%}" for share in SHARES)]
    head += [f"others at {share:.0%}" for share in SHARES]
    lines = [f"| rule | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for rule, points in curves.items():
        cells = [str(needed(points, target) or "-") for target in options.target]
        cells.append(f"{area(points, frames, options.most):.4f}")
        for share in SHARES:
            worst = worst_at(points, frames, share)
            cells.append("-" if worst is None else f"{worst:.3f}")
        for share in SHARES:
            allowed = [point for point in points if point.labels <= share * frames]
            cells.append(f"{allowed[-1].others:.3f}" if allowed else "-")
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    return lines


def estimates(points: Row[Point]) -> list[str]:
    """How good the estimate of J is."""
    pairs = [(point.estimated, point.j) for point in points if point.estimated is not None]
    if len(pairs) < 2:
        return []
    guesses, truth = np.array(pairs).T
    off = guesses - truth
    return [
        f"Estimate of J at {len(pairs)} points of suggest: mean |estimate - J| {np.abs(off).mean():.3f}, "
        f"largest {np.abs(off).max():.3f}, mean of estimate - J {off.mean():+.3f}, Spearman "
        f"{spearman(guesses, truth):.2f}."
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style root with a mask for every frame")
    parser.add_argument("work", type=Path, help="folder for what is kept")
    parser.add_argument("--rule", nargs="+", choices=RULES, default=RULES[:6])
    parser.add_argument("--target", type=float, nargs="+", default=(0.85, 0.875, 0.9), help="mean J")
    parser.add_argument("--quality", choices=("fast", "balanced", "best"), default="fast")
    parser.add_argument("--height", type=int, default=240, help="frames are reduced to it")
    parser.add_argument("--most", type=float, default=0.2, help="share of labelled frames, of the area")
    parser.add_argument("--limit", type=float, default=0.35, help="share at which a rule gives up")
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    sequences = find_sequences(options.root, options.sequences)
    fillers = [Filler(sequence, options) for sequence in sequences]
    frames = sum(each.count for each in fillers)
    curves = {}
    for rule in options.rule:
        curves[rule] = curve(rule, fillers, options)
        print(f"{rule}: {len(curves[rule])} points", file=sys.stderr, flush=True)
    lines = [f"## next_frame.py, {options.root.name}", "", *header(), ""]
    lines += [
        f"{len(fillers)} videos, {frames} frames, two labels each at the start. Labels until mean J:",
        "",
    ]
    lines += table(curves, frames, options)
    lines += ["", *estimates(curves.get("suggest", ())), ""]
    publish(lines, options.out)


if __name__ == "__main__":
    main()
