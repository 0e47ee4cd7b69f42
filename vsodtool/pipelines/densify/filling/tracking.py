"""Follow the objects through an interval from frame to frame, and find them again where motion loses them.

What was carried over a long way has drifted, or is lost; looks and what is salient tell then. All of it on a
small picture of the frames (`ops.tracking`).
"""

from __future__ import annotations

import threading
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.media.spill import FrameSpill
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.models.flow.dis import DisEstimator, DisSettings
from vsodtool.models.inference.prepare import exact_products, prepare
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.labels.tracking import (
    CELL,
    GRID,
    Looks,
    are_rivals,
    grid_size,
    moments_of,
    neighbourhood,
    notice,
    own_salience,
    picture_size,
    rivals_of,
    shares_of,
    standardised,
    tracked_odds,
    votes,
    with_rivals,
)
from vsodtool.ops.resize import resize_flow, resize_maps
from vsodtool.pipelines.densify.filling.evidence import Shelf
from vsodtool.pipelines.densify.filling.far import Tracked, overlap
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.pipelines.densify.motion import chunks
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ImageArray, Size

_RECENT = 5  # frames back from which recent looks are taken
_SAMPLED = 8  # frames that the features' mean and spread are taken from
_FLOW = DisSettings(0, 8, 4, 12, 2)  # at half of the picture
_OBJECT = 0.5
_SALIENT, _FEATURES = 0.4, 0.4  # of the work; the rest is walking
_QUICK = 1  # level of compression: most of a label is nothing
_KINDS = ("salient", "features", "flows")  # what is kept of a frame

T = TypeVar("T")
Saliency = Callable[[Iterable[ImageArray], int], Iterator[Tensor]]
"""Frames of a shot in order, and how many -> how salient each pixel is, (1, 1, S, S) in [0, 1] each."""


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
        self._load, self._make_saliency = backbone, saliency
        self._made: tuple[EfficientNetLiteBackbone, Saliency] | None = None
        self._lock = threading.Lock()
        self._looking = threading.Lock()  # what says what is salient takes the most memory: one at a time
        self._estimator = DisEstimator(_FLOW)

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
            small = _Small(interval, backbone, self._estimator, workers)
            try:
                with self._looking:
                    looked = small.look(saliency, on_done)
                if not looked:
                    return {}
                if not any(small.noticed):
                    on_done(1 - _SALIENT)
                    return {}
                if not small.look_closely(on_done):
                    return {}
                step = (1 - _SALIENT - _FEATURES) / ((len(interval.sequence) - 1) * len(interval.labelled))
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
                self._made = prepare(self._load(), self._device, torch.float32), self._make_saliency()
            return self._made


def walk(
    interval: Interval, small: _Small, known: LabelledFrame, workers: Workers
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


def _one_way(interval: Interval, steps: Iterable[tuple[int, Tensor]], small: _Small) -> Mapping[int, Tracked]:
    """What the walk from the only label says of each target; those are missing that it did not reach."""
    found, targets = Followed(), set(interval.targets)
    for index, odds in steps:
        if index in targets:
            found.put(index, _tracked(interval, index, shares(odds), small))
    return found


def _both(
    interval: Interval, walks: Sequence[Iterable[tuple[int, Tensor]]], small: _Small
) -> Mapping[int, Tracked]:
    """What the walks from two labels say; what each found is put aside where the interval is long."""
    with ExitStack() as stack:
        shelves = [stack.enter_context(closing(Shelf(interval))) for _ in walks]
        for shelf, steps in zip(shelves, walks, strict=True):
            for index, odds in steps:
                shelf.put(index, odds)
        return combine(interval, shelves, small)


def combine(interval: Interval, walks: Sequence[Shelf], small: _Small) -> Mapping[int, Tracked]:
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
        met = _met(shares(first) > _OBJECT, shares(second) > _OBJECT)
        # Infinite are the same in both.
        odds = torch.lerp(first, second, nearness[1] / sum(nearness)).nan_to_num(nan=-torch.inf)
        found.put(index, _tracked(interval, index, shares(odds), small, met=met, reached=reached))
    return found


def _tracked(
    interval: Interval,
    index: int,
    labels: Tensor,
    small: _Small,
    *,
    met: Sequence[float | None] = (),
    reached: Sequence[float] = (),
) -> Tracked:
    """What is known of a target whose objects are there (O, h, w)."""
    noticed = torch.tensor(small.noticed) > 0
    position = interval.sequence.index(index)
    seen = torch.zeros_like(labels[0], dtype=torch.bool)
    for number in noticed.nonzero().flatten().tolist():
        seen |= small.own_salience(position, number)[0][0, 0] > _OBJECT
    others = labels[~noticed].sum(dim=0) > _OBJECT
    agreement = overlap(labels[noticed].sum(dim=0) > _OBJECT, seen & ~others)
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


def _reached(interval: Interval, walks: Sequence[Shelf], small: _Small) -> list[float]:
    """Of each object, how well the walks from two labels find the label at their other end: the mean J."""
    found = []
    for known, each in zip(interval.labelled[::-1], walks, strict=True):
        there, given = shares(each.take(known.index)) > _OBJECT, small.labels[known.index] > _OBJECT
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


class _Small:
    """An interval as the tracker sees it; what is kept of long ones lies on disk.

    Attributes:
        labels: of the labelled frames by index, on the grid (O, h, w), 0 or 1.
        near: see `ops.tracking.neighbourhood`.
        noticed: how far what is salient speaks of each object, the mean over the labels; see `ops.tracking`.
    """

    def __init__(
        self,
        interval: Interval,
        backbone: EfficientNetLiteBackbone,
        estimator: DisEstimator,
        workers: Workers,
    ) -> None:
        self._interval, self._backbone = interval, backbone
        self._estimator, self._workers = estimator, workers
        self._sequence = interval.sequence
        self._device = interval.known.labels.device
        self._picture = picture_size(interval.size)
        self._grid = grid_size(interval.size)
        self.near = neighbourhood((self._picture[0] // CELL, self._picture[1] // CELL), self._device)
        self.labels = {
            known.index: resize_maps(known.labels, self._grid).gt(_OBJECT).float()[0]
            for known in interval.labelled
        }
        self._kept: dict[tuple[str, int], npt.NDArray[Any]] = {}
        self._spill: FrameSpill | None = interval.frames.spill() if interval.frames.is_long else None

    def close(self) -> None:
        """Forget everything."""
        if self._spill is not None:
            self._spill.close()

    def look(self, saliency: Saliency, on_done: Callable[[float], None]) -> bool:
        """Find what is salient in every frame; whether nobody cancelled that."""
        rgbs = (self._interval.rgb(index) for index in self._sequence)
        for position, salient in enumerate(saliency(rgbs, len(self._sequence))):
            if self._workers.cancelled():
                return False
            self._put("salient", position, to_bytes(resize_maps(salient.to(self._device), self._grid)))
            on_done(_SALIENT / len(self._sequence))
        return True

    def look_closely(self, on_done: Callable[[float], None]) -> bool:
        """Find features and motion of every frame; whether nobody cancelled that."""
        self._moments = moments_of([self._see(index) for index in self._sampled()])
        for chunk in chunks(list(range(len(self._sequence)))):
            if self._workers.cancelled():
                return False
            self._workers.map(self._look_at, chunk)
            on_done(_FEATURES * len(chunk) / len(self._sequence))
        return True

    @cached_property
    def noticed(self) -> list[float]:
        return [self._notice(number) for number in range(len(self._interval.present))]

    def features(self, position: int) -> Tensor:
        """Of a frame, standardised (C, h, w)."""
        return self._get("features", position)

    def salient(self, position: int) -> Tensor:
        """What is salient in a frame, on the grid (1, 1, h, w) in [0, 1]."""
        return self._get("salient", position) / 255

    def own_salience(self, position: int, number: int) -> tuple[Tensor, Tensor | None]:
        """What of it may be an object (1, 1, h, w), and the votes for that against its rivals, if any."""
        salient, known = self.salient(position), self._rivalry[number]
        if known is None:
            return salient, None
        rivalry = votes(self.features(position), known)
        return own_salience(salient, rivalry), rivalry

    def flow(self, here: int, there: int) -> Tensor:
        """From a frame to its neighbour, on the grid (1, 2, h, w)."""
        flows = self._get("flows", max(here, there))
        return flows[:1] if there > here else flows[1:]

    def looks(self, number: int) -> Looks:
        """Of an object in all labels."""
        of_frames = [
            (
                self.features(self._sequence.index(index)).flatten(1),
                shares_of(label[None, number : number + 1]),
            )
            for index, label in self.labels.items()
        ]
        features, shares_there = zip(*of_frames, strict=True)
        return Looks(torch.cat(features, dim=1), torch.cat(shares_there))

    @cached_property
    def _rivals(self) -> list[Tensor | None]:
        """Of each object, which cells of the labelled frames show rivals; None: too few to speak of."""
        found: list[Tensor | None] = []
        for number in range(len(self._interval.present)):
            own = {index: label[None, number : number + 1] for index, label in self.labels.items()}
            rivals = torch.cat([rivals_of(each, self._salient_at(index)) for index, each in own.items()])
            shares_there = torch.cat([shares_of(each) for each in own.values()])
            found.append(rivals if are_rivals(shares_there, rivals) else None)
        return found

    @cached_property
    def _rivalry(self) -> list[Looks | None]:
        """Of each object, how it and its rivals look."""
        return [
            None if rivals is None else with_rivals(self.looks(number), rivals)
            for number, rivals in enumerate(self._rivals)
        ]

    def _notice(self, number: int) -> float:
        rivals = self._rivals[number]
        found = []
        for frame, (index, label) in enumerate(self.labels.items()):
            if not bool(label[number].any()):
                continue
            others = (label.sum(dim=0) - label[number]).clamp(0, 1)
            if rivals is not None:
                height, width = (side * GRID // CELL for side in self._grid)
                here = rivals.view(len(self.labels), 1, 1, height, width)[frame].float()
                others = torch.maximum(others, functional.interpolate(here, self._grid)[0, 0])
            found.append(notice(label[number], others, self._salient_at(index)[0, 0]))
        return sum(found) / len(found) if found else 0.0

    def _salient_at(self, index: int) -> Tensor:
        return self.salient(self._sequence.index(index))

    def _sampled(self) -> list[int]:
        """Indices of the labelled frames, and of others spread evenly."""
        stride = max(len(self._sequence) // _SAMPLED, 1)
        return sorted({*self._sequence[::stride], *self.labels})

    def _image(self, index: int, size: Size) -> Tensor:
        rgb = torch.from_numpy(self._interval.rgb(index)).permute(2, 0, 1)[None].to(self._device)
        return resize_maps(rgb.float().div_(255), size)

    def _see(self, index: int) -> tuple[Tensor, Tensor]:
        picture = self._image(index, self._picture).mul_(2).sub_(1)
        _, eighth, sixteenth = self._backbone.shallow(picture.contiguous(memory_format=torch.channels_last))
        return functional.avg_pool2d(eighth, 2), sixteenth

    def _look_at(self, position: int) -> None:
        """Features of a frame, and the motion between it and the frame before."""
        index = self._sequence[position]
        self._put("features", position, standardised(self._see(index), self._moments).half())
        if position:
            half: Size = (2 * self._grid[0], 2 * self._grid[1])
            before, image = self._image(self._sequence[position - 1], half), self._image(index, half)
            flows = self._estimator.estimate(torch.cat((before, image)), torch.cat((image, before)))
            self._put("flows", position, resize_flow(flows, self._grid).half())

    def _put(self, what: str, position: int, values: Tensor) -> None:
        array = values.cpu().numpy()
        if self._spill is None:
            self._kept[what, position] = array
        else:
            self._spill.put(_KINDS.index(what) + len(_KINDS) * position, array)

    def _get(self, what: str, position: int) -> Tensor:
        if self._spill is None:
            array = self._kept[what, position]
        else:
            array = self._spill.get(_KINDS.index(what) + len(_KINDS) * position)
        return torch.from_numpy(array).to(self._device).float()
