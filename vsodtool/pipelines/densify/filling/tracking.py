"""Follow the objects through an interval from frame to frame, and find them again where motion loses them.

What was carried over a long way has drifted, or is lost; looks and what is salient tell then. All of it on a
small picture of the frames (`small_interval`, `ops.labels.tracking`).
"""

from __future__ import annotations

import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor

from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.models.inference.precision import DTYPES, resolve_precision
from vsodtool.models.inference.prepare import exact_products, prepare
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.labels.tracking import Looks, shares_of, tracked_odds, votes
from vsodtool.pipelines.densify.filling.evidence import Shelf
from vsodtool.pipelines.densify.filling.far import Tracked, overlap
from vsodtool.pipelines.densify.filling.small_interval import (
    FEATURES,
    OBJECT,
    SALIENT,
    Saliency,
    SmallInterval,
)
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.pipelines.densify.side_by_side import Workers

_RECENT = 5  # frames back from which recent looks are taken
_QUICK = 1  # level of compression: most of a label is nothing

T = TypeVar("T")


class Tracker:
    """Walks through an interval from each label; several intervals may be followed at once."""

    def __init__(
        self,
        backbone: Callable[[], EfficientNetLiteBackbone],
        saliency: Callable[[], Saliency],
        device: torch.device,
    ) -> None:
        """Nothing is loaded before it is needed.

        Args:
            backbone: gives one with ImageNet's weights, which is taken over and changed: what was learned for
                matching on few videos tells things apart less well (its J in the middle of gaps of 20
                frames is .68, theirs .77).
            saliency: makes what says what is salient.
            device: that computes.
        """
        self._device = device
        self._dtype = DTYPES[resolve_precision("auto", device)]
        self._load, self._make_saliency = backbone, saliency
        self._made: tuple[EfficientNetLiteBackbone, Saliency] | None = None
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # what says what is salient takes the most memory: one at a time

    @torch.inference_mode()
    def follow(
        self, interval: Interval, workers: Workers, on_done: Callable[[float], None] = lambda _: None
    ) -> Mapping[int, Tracked]:
        """Where the objects are in each target of an interval that has one label or two.

        Nothing if none of them is what is salient: looks and motion alone lose more than motion alone.
        """
        interval = interval.on(self._device)
        backbone, saliency = self._parts()
        with exact_products(torch.float32):
            small = SmallInterval(interval, backbone, workers, self._dtype)
            try:
                with self._looking:
                    looked = small.look(saliency, on_done)
                if not looked:
                    return {}
                if not any(small.noticed):
                    on_done(1 - SALIENT)
                    return {}
                if not small.look_closely(on_done):
                    return {}
                step = (1 - SALIENT - FEATURES) / ((len(interval.sequence) - 1) * len(interval.labelled))
                walks = [
                    _counted(walk(interval, small, known, workers), step, on_done)
                    for known in interval.labelled
                ]
                return (
                    _one_way(interval, walks[0], small) if len(walks) == 1 else _both(interval, walks, small)
                )
            finally:
                small.close()

    def _parts(self) -> tuple[EfficientNetLiteBackbone, Saliency]:
        with self._lock:
            if self._made is None:
                self._made = prepare(self._load(), self._device, self._dtype), self._make_saliency()
            return self._made


def walk(
    interval: Interval, small: SmallInterval, known: LabelledFrame, workers: Workers
) -> Iterator[tuple[int, Tensor]]:
    """From a label to the other end: index of each frame, and log-odds of the objects (O, h, w).

    Those that no label shows are nowhere.
    """
    step = -1 if known is interval.right else 1
    position = interval.sequence.index(known.index)
    labels = small.labels[known.index]
    present = [number for number, there in enumerate(interval.present) if there]
    given = {number: small.looks(number) for number in present}
    past = deque([(small.features(position), labels)], maxlen=_RECENT)
    while 0 <= position + step < len(interval.sequence) and not workers.cancelled():
        position += step
        features = small.features(position)
        back, (then, found) = small.flow(position, position - step), past[0]
        odds = torch.full_like(labels, -torch.inf)
        for number in present:
            recent = Looks(then.flatten(1), shares_of(found[None, number : number + 1]))
            salient, rivalry = small.own_salience(position, number)
            odds[number] = tracked_odds(
                labels[None, number : number + 1],
                back,
                votes(features, given[number]),
                votes(features, recent, near=small.near),
                0.5 + small.noticed[number] * (salient - 0.5),
                rivalry=rivalry,
            )[0, 0]
        labels = shares(odds)
        past.append((features, labels))
        yield interval.sequence[position], odds


def _counted(items: Iterable[T], share: float, on_done: Callable[[float], None]) -> Iterator[T]:
    for item in items:
        yield item
        on_done(share)


def _one_way(
    interval: Interval, steps: Iterable[tuple[int, Tensor]], small: SmallInterval
) -> Mapping[int, Tracked]:
    """What the walk from the only label says of each target; those are missing that it did not reach."""
    found, targets = Followed(), set(interval.targets)
    for index, odds in steps:
        if index in targets:
            found.put(index, _tracked(interval, index, shares(odds), small))
    return found


def _both(
    interval: Interval, walks: Sequence[Iterable[tuple[int, Tensor]]], small: SmallInterval
) -> Mapping[int, Tracked]:
    """What the walks from two labels say; what each found is put aside where the interval is long."""
    with ExitStack() as stack:
        shelves = [stack.enter_context(closing(Shelf(interval))) for _ in walks]
        for shelf, steps in zip(shelves, walks, strict=True):
            for index, odds in steps:
                shelf.put(index, odds)
        return combine(interval, shelves, small)


def combine(interval: Interval, walks: Sequence[Shelf], small: SmallInterval) -> Mapping[int, Tracked]:
    """What the walks from both labels say of each target, the nearer one louder.

    Args:
        interval: with its labels.
        walks: log-odds of the objects (O, h, w) by index of the frame, from each label; they are taken.
        small: what was seen.

    Returns:
        Nothing where a walk did not come to its end: it was cancelled.
    """
    found = Followed()
    if any(len(each) < len(interval.sequence) - 1 for each in walks):
        return found
    reached = _reached(interval, walks, small)
    for index in interval.targets:
        first, second = (each.take(index) for each in walks)
        nearness = [1 / abs(index - known.index) for known in interval.labelled]
        met = _met(shares(first) > OBJECT, shares(second) > OBJECT)
        # Infinite are the same in both.
        odds = torch.lerp(first, second, nearness[1] / sum(nearness)).nan_to_num(nan=-torch.inf)
        found.put(index, _tracked(interval, index, shares(odds), small, met=met, reached=reached))
    return found


def _tracked(
    interval: Interval,
    index: int,
    labels: Tensor,
    small: SmallInterval,
    *,
    met: Sequence[float | None] = (),
    reached: Sequence[float] = (),
) -> Tracked:
    """What is known of a target whose objects are there (O, h, w)."""
    noticed = torch.tensor(small.noticed) > 0
    position = interval.sequence.index(index)
    seen = torch.zeros_like(labels[0], dtype=torch.bool)
    for number in noticed.nonzero().flatten().tolist():
        seen |= small.own_salience(position, number)[0][0, 0] > OBJECT
    others = labels[~noticed].sum(dim=0) > OBJECT
    agreement = overlap(labels[noticed].sum(dim=0) > OBJECT, seen & ~others)
    return Tracked(to_bytes(labels).cpu(), agreement, small.noticed, met, reached)


class Followed(Mapping[int, Tracked]):
    """What is known by index of the frame, in order; labels are held packed, as intervals may be long."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Tracked, bytes]] = {}

    def put(self, index: int, tracked: Tracked) -> None:
        """What is known of a frame."""
        none = tracked.labels.new_empty(0).expand(*tracked.labels.shape[:2], 0)
        packed = zlib.compress(tracked.labels.contiguous().numpy().tobytes(), _QUICK)
        self._held[index] = replace(tracked, labels=none), packed

    def __getitem__(self, index: int) -> Tracked:
        tracked, packed = self._held[index]
        labels = torch.frombuffer(bytearray(zlib.decompress(packed)), dtype=torch.uint8)
        return replace(tracked, labels=labels.view(*tracked.labels.shape[:2], -1))

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._held))

    def __len__(self) -> int:
        return len(self._held)


def _reached(interval: Interval, walks: Sequence[Shelf], small: SmallInterval) -> list[float]:
    """Of each object, how well the walks from two labels find the label at their other end: the mean J."""
    found = []
    for known, each in zip(interval.labelled[::-1], walks, strict=True):
        there, given = shares(each.take(known.index)) > OBJECT, small.labels[known.index] > OBJECT
        found.append([overlap(*both) for both in zip(there, given, strict=True)])
    return [sum(js) / len(js) for js in zip(*found, strict=True)]


def _met(first: Tensor, second: Tensor) -> list[float | None]:
    """J of each object in two labels (O, h, w), bool; None where neither shows it."""
    return [
        overlap(one, other) if bool((one | other).any()) else None
        for one, other in zip(first, second, strict=True)
    ]


def shares(odds: Tensor) -> Tensor:
    """Log-odds of objects (O, h, w) -> labels that compete with each other and with the background."""
    return torch.cat((torch.zeros_like(odds[:1]), odds)).softmax(dim=0)[1:]
