"""Which frame to label next: where a label is expected to take away most error, over all videos.

The error of a frame is expected to grow with its reach r (`ops.reach`). What a unit of reach costs is
measured on labels that were hidden and made again: q = (1 - J) / r. So a frame is expected to be wrong by
min(1, q r), or altogether where no label reaches it, and as far as its own confidence c doubts it:
e = min(1, q r) (1 - c). A label at f lowers the reach of the frames around it to r' and their error to
e r' / r, so with weights w = e / r its gain is the sum of w (r - r'). The weights stay as they are when a
label is added, so that a batch spreads by itself.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import fmean

import numpy as np
import numpy.typing as npt

from vsodtool.ops.suggesting.reach import Floats, Stretch, reach, reaches, stretches

_SAME = 1e-9  # of the largest gain: what is that close to it is as large


@dataclass(frozen=True)
class KnownVideo:
    """What is known of a video that has been filled.

    Attributes:
        frames: how many it has.
        labels: indices of the labelled ones, ascending.
        confidence: of every frame (frames,), in [0, 1].
        errors: labelled frame that was hidden and made again from its neighbours -> object -> 1 - J.
        unusable: frames that did not decode: they cannot be labelled and count for nothing.
        cuts: first frames of all shots but the first, ascending.
    """

    frames: int
    labels: Sequence[int]
    confidence: Floats
    errors: Mapping[int, Mapping[int, float]] = field(default_factory=dict)
    unusable: Collection[int] = frozenset()
    cuts: Sequence[int] = ()

    @cached_property
    def rates(self) -> dict[int, dict[int, float]]:
        """The errors per reach, q, of the hidden labels, by frame and object."""
        found = {}
        for hidden, errors in self.errors.items():
            place = bisect_left(self.labels, hidden)
            ends = [*self.labels[max(place - 1, 0) : place], *self.labels[place + 1 : place + 2]]
            same = [end for end in ends if bisect_right(self.cuts, end) == bisect_right(self.cuts, hidden)]
            away = [abs(end - hidden) for end in same]
            far = reach(*away) if len(away) == 2 else away[0] if away else self.frames
            found[hidden] = {number: error / far for number, error in errors.items()}
        return found


@dataclass(frozen=True)
class Suggested:
    """A frame to label.

    Attributes:
        video: its place among the videos.
        frame: its index.
        gain: the error that its label is expected to take away, in frames that are all wrong.
        object: of several the one that is expected to be worst there; None if that is not known.
    """

    video: int
    frame: int
    gain: float
    object: int | None


@dataclass(frozen=True)
class _Costs:
    """What a unit of reach costs in every frame of a video.

    Attributes:
        rates: q of the worst object (frames,).
        objects: of several which object that is, else -1 (frames,).
    """

    rates: Floats
    objects: npt.NDArray[np.int64]


def suggest(videos: Sequence[KnownVideo], count: int) -> list[Suggested]:
    """The frames to label next, the one that gains most first; none beside a label.

    Shots without any label come first: nothing can be carried there. Where no label of a video was hidden,
    the mean of those of the others stands in for its own; without any, confidence alone decides.

    Args:
        videos: those that share the labels to come.
        count: how many frames, at most.
    """
    usual = usual_rate(videos)
    if usual is None:  # so small that no frame is expected to be all wrong
        usual = 1 / max((video.frames for video in videos), default=1)
    costs = [_costs(video, usual) for video in videos]
    weights = [_weights(video, known) for video, known in zip(videos, costs, strict=True)]
    queue: list[tuple[bool, float, int, Stretch, int]] = []

    def consider(number: int, found: Iterable[Stretch]) -> None:
        for stretch in found:
            best = _best(stretch, weights[number], videos[number])
            if best is not None:
                gain, frame = best
                heapq.heappush(queue, (stretch.before or stretch.after, -gain, number, stretch, frame))

    for number, video in enumerate(videos):
        consider(number, stretches(video.labels, video.frames, video.cuts))
    chosen: list[Suggested] = []
    while queue and len(chosen) < count:
        _, loss, number, stretch, frame = heapq.heappop(queue)
        worst = int(costs[number].objects[frame])
        chosen.append(Suggested(number, frame, -loss, worst if worst >= 0 else None))
        consider(number, _halves(stretch, frame))
    return chosen


def estimate(videos: Sequence[KnownVideo], chosen: Iterable[Suggested] = ()) -> float | None:
    """The J that all frames have on average, labelled ones counted as 1: the mean of 1 - min(1, q r).

    Args:
        videos: all of them.
        chosen: frames to count as labelled too.

    Returns:
        None where no label was hidden.
    """
    usual = usual_rate(videos)
    if usual is None:
        return None
    extra: dict[int, list[int]] = {}
    for each in chosen:
        extra.setdefault(each.video, []).append(each.frame)
    expected = []
    for number, video in enumerate(videos):
        labels = [*video.labels, *extra.get(number, ())]
        errors = _errors(video, labels, _costs(video, usual).rates)
        expected.append(np.delete(1 - errors, list(video.unusable)))
    return float(np.concatenate(expected).mean())


def gains(weights: Floats, stretch: Stretch) -> Floats:
    """What a label at each frame of a stretch would gain.

    Args:
        weights: of the frames of the stretch (n,), not negative.
        stretch: of n frames.

    Returns:
        (n,), not negative.
    """
    error = float(weights @ stretch.reach())
    left = _left_over(weights, bridged=stretch.before)
    right = _left_over(weights[::-1], bridged=stretch.after)[::-1]
    return np.maximum(error - left - right, 0.0)


def usual_rate(videos: Sequence[KnownVideo]) -> float | None:
    """The mean error per reach of the worst object of each hidden label; None where there are none."""
    found = [max(rates.values()) for video in videos for rates in video.rates.values() if rates]
    return fmean(found) if found else None


def _left_over(weights: Floats, *, bridged: bool) -> Floats:
    """The error that is left in the frames before f if f gets a label, for every f (n,).

    With x = 1 ... n and a label at 0 (bridged) the frame at x < f has the reach x (f - x) / f, else f - x.
    """
    place = np.arange(1.0, len(weights) + 1)
    ahead = [np.concatenate([[0.0], np.cumsum(weights * place**power)[:-1]]) for power in (0, 1, 2)]
    left: Floats = ahead[1] - ahead[2] / place if bridged else place * ahead[0] - ahead[1]
    return left


def _weights(video: KnownVideo, costs: _Costs) -> Floats:
    """The expected error of every frame by its reach; 0 for labelled ones."""
    far = reaches(video.labels, video.frames, video.cuts)
    doubt = 1 - np.asarray(video.confidence, float)
    doubt[list(video.unusable)] = 0
    errors = _errors(video, video.labels, costs.rates)
    share = np.divide(errors, far, out=np.zeros(video.frames), where=far > 0)
    weights: Floats = share * doubt
    return weights


def _errors(video: KnownVideo, labels: Sequence[int], rates: Floats) -> Floats:
    """min(1, q r) of every frame with these labels; 1 where no label reaches."""
    errors: Floats = np.minimum(1, rates * reaches(labels, video.frames, video.cuts))
    for run in stretches(labels, video.frames, video.cuts):
        if not (run.before or run.after):
            errors[run.start : run.stop] = 1
    return errors


def _costs(video: KnownVideo, usual: float) -> _Costs:
    """For each object the mean over the labels at the two ends of a gap; where unknown the video's mean."""
    known = video.rates
    objects = sorted({number for rates in known.values() for number in rates})
    if not objects:
        return _Costs(np.full(video.frames, usual), np.full(video.frames, -1))
    of_object = []
    for number in objects:
        mean = fmean(rates[number] for rates in known.values() if number in rates)
        rates = np.full(video.frames, mean)
        for run in stretches(video.labels, video.frames, video.cuts):
            ends = [(run.start - 1) if run.before else -1, run.stop if run.after else -1]
            rates[run.start : run.stop] = fmean(known.get(end, {}).get(number, mean) for end in ends)
        of_object.append(rates)
    stacked = np.stack(of_object)
    named = objects if len(objects) > 1 else [-1]
    return _Costs(stacked.max(axis=0), np.array(named)[stacked.argmax(axis=0)])


def _best(stretch: Stretch, weights: Floats, video: KnownVideo) -> tuple[float, int] | None:
    """The frame of a stretch that gains most, of equal ones that nearest to the middle; None if none may."""
    frames = np.arange(stretch.start, stretch.stop)
    found = gains(weights[stretch.start : stretch.stop], stretch)
    allowed = np.array([frame not in video.unusable for frame in frames.tolist()])
    if stretch.before:
        allowed[0] = False
    if stretch.after:
        allowed[-1] = False
    if not allowed.any():
        return None
    top = float(found[allowed].max())
    as_good = frames[allowed & (found >= top * (1 - _SAME))]
    middle = (stretch.start + stretch.stop - 1) / 2
    return top, int(as_good[np.abs(as_good - middle).argmin()])


def _halves(stretch: Stretch, frame: int) -> Iterator[Stretch]:
    """What a label at a frame leaves of a stretch."""
    for half in (
        Stretch(stretch.start, frame, stretch.before, True),
        Stretch(frame + 1, stretch.stop, True, stretch.after),
    ):
        if half.start < half.stop:
            yield half
