"""The motion of one interval: coarse over the whole frame, then fine where an object can be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.media.spill import FrameSpill
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.ops.labels.exposure import Exposure, exposure_between, in_light_of
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_image
from vsodtool.pipelines.densify.remembered import Remembered, RememberedFlow, digest
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import FlowEstimator, Size

COARSE = 4  # the coarse flow is computed at a quarter of the size
CONTEXT_SHARE = 0.05  # flow sees at least this share of an object's longer side around it
TRACE = 0.05  # a coarse soft label counts as object above this: too large a box costs time only
CPU = torch.device("cpu")
CHUNK = 4  # pairs in the work at once
_TRIED_BYTES = 32 * 2**20  # 160 pairs of 854x480


class TriedFlows:
    """Coarse flows of a video, left by the trial of its methods for when its intervals are filled.

    Each is taken once. May be used from several threads.

    Args:
        most_bytes: of all; what does not fit is computed again.
    """

    def __init__(self, most_bytes: int = _TRIED_BYTES) -> None:
        self._left, self._lock = most_bytes, threading.Lock()
        self._kept: dict[tuple[int, int, Size], tuple[Tensor, Exposure | None]] = {}

    def put(self, pair: tuple[int, int, Size], flows: Tensor, exposure: Exposure | None) -> None:
        """Leave the flows of two frames, by their indices and the size on which they were looked at."""
        size = flows.numel() * flows.element_size()
        with self._lock:
            if size <= self._left and pair not in self._kept:
                self._left -= size
                self._kept[pair] = flows, exposure

    def take(self, pair: tuple[int, int, Size]) -> tuple[Tensor, Exposure | None] | None:
        """What was left, or None."""
        with self._lock:
            found = self._kept.pop(pair, None)
            if found is not None:
                self._left += found[0].numel() * found[0].element_size()
        return found


@dataclass(frozen=True)
class MotionEstimators:
    """The estimators of one run.

    Attributes:
        adjacent: flow between neighbouring frames.
        refining: flow between a frame and a distant labelled one, started from what is known.
        coarse: flow at a quarter of the size that says where to look; None looks everywhere.
        between: adjacent flow for methods that take frames from their neighbours, so that it has to be fine;
            None: as for the others.
        margin: pixels around the place where the coarse flow carries an object, in which it may be.
        context: pixels around that which the flow sees too.
        device: where images, flows and labels are, until a label is written.
        remembered: keeps what comes of short intervals for later runs; None: nothing is kept.
        leave: takes coarse flows, of a trial.
        left: has those that it left; None where there was none.
    """

    adjacent: FlowEstimator
    refining: FlowEstimator
    coarse: FlowEstimator | None = None
    between: FlowEstimator | None = None
    margin: int = 32
    context: int = 32
    device: torch.device = CPU
    remembered: Remembered | None = None
    leave: TriedFlows | None = None
    left: TriedFlows | None = None

    @property
    def name(self) -> str:
        """The names of its estimators, each once."""
        parts = (self.adjacent, self.between, self.refining, self.coarse)
        names = [part.name for part in parts if part is not None]
        return " + ".join(dict.fromkeys(names))

    def fine_between(self) -> MotionEstimators:
        """The same for a method that takes frames from their neighbours."""
        return self if self.between is None else replace(self, adjacent=self.between)

    def remembering(self, remembered: Remembered) -> MotionEstimators:
        """The same, with what they find kept for later runs."""
        refining = RememberedFlow(self.refining, remembered)
        return replace(self, refining=refining, remembered=remembered)


class CoarseMotion:
    """Flows of an interval at a quarter of the size, both ways: they say where each object can be.

    Short intervals keep them; long ones put them aside on disk.
    """

    def __init__(self, interval: Interval, estimators: MotionEstimators, workers: Workers) -> None:
        self.interval, self.estimators, self.workers = interval, estimators, workers
        self._sequence = interval.sequence
        self._spill: FrameSpill | None = interval.frames.spill() if interval.frames.is_long else None
        self._flows: dict[int, Tensor] = {}
        self._small_images: dict[int, Tensor] = {}
        self._exposures: dict[int, Exposure] = {}
        self.remembered = None if interval.frames.is_long else estimators.remembered
        self._digests: dict[int, str] = {}
        self._whole: tuple[int, Tensor] | None = None

    def close(self) -> None:
        """Forget everything."""
        if self._spill is not None:
            self._spill.close()

    def places(self) -> dict[int, list[Box | None]]:
        """By channel of each object that a label shows: its box in each frame, or None."""
        positions = list(range(len(self._sequence) - 1))
        shown = [number for number, present in enumerate(self.interval.present) if present]
        found: dict[int, list[Box | None]] = {number: [None] * len(self._sequence) for number in shown}
        if self.interval.left is not None:
            self._trace(self.interval.left, positions, 0, found)
        if self.interval.right is not None:
            self._trace(self.interval.right, positions[::-1], 1, found)
        size = self.interval.size
        return {number: [box and box.scale(COARSE, size) for box in boxes] for number, boxes in found.items()}

    def _trace(
        self, known: LabelledFrame, positions: list[int], side: int, found: dict[int, list[Box | None]]
    ) -> None:
        """Follow a label with the coarse flow and widen the boxes that its objects pass."""
        shown = [number for number in found if known.areas[number]]
        if not shown:  # an empty label: nothing to follow
            return
        labels = functional.max_pool2d(known.labels[:, shown], COARSE, ceil_mode=True)
        here = positions[0] + side if positions else 0
        last = self._widen(labels, here, shown, found, {})
        for chunk in chunks(positions):
            if self.workers.cancelled():
                return
            for position, flows in zip(chunk, self.workers.map(self.flow, chunk), strict=True):
                # The label comes from frame `position + side` and goes to the other frame of the pair.
                labels = sample(labels, flows[1 - side : 2 - side])
                last = self._widen(labels, position + 1 - side, shown, found, last)

    @staticmethod
    def _widen(
        labels: Tensor, here: int, shown: list[int], found: dict[int, list[Box | None]], last: dict[int, Box]
    ) -> dict[int, Box]:
        """Where each object is now; one that is lost is looked for where it was last."""
        now = {}
        for number, label in zip(shown, labels[0], strict=True):
            box = bounding_box(label, TRACE) or last.get(number)
            if box is not None:
                before = found[number][here]
                found[number][here] = box if before is None else box.union(before)
                now[number] = box
        return now

    def flow(self, position: int) -> Tensor:
        """Flows of a pair (2, 2, h, w): from the first frame to the second, and back."""
        kept = self._kept(position)
        if kept is not None:
            return kept.float()
        pair = (self._sequence[position], self._sequence[position + 1], self.interval.size)
        found = self.estimators.left and self.estimators.left.take(pair)
        flows, exposure = found or self.known_or("coarse", position, self._compute)
        if self.estimators.leave is not None:
            self.estimators.leave.put(pair, flows, exposure)
        if exposure is not None:
            self._exposures[position] = exposure
        if self._spill is None:
            self._flows[position] = flows
        else:
            self._spill.put(position, flows.cpu().numpy())
        return flows.float()

    def whole_image(self, known: LabelledFrame) -> Tensor:
        """A labelled frame (1, 3, H, W) in [0, 1]; the latest one is kept."""
        if self._whole is None or self._whole[0] != known.index:
            image = to_image(known.rgb, whole(self.interval.size), self.estimators.device)
            self._whole = (known.index, image)
        return self._whole[1]

    def exposure(self, position: int) -> Exposure | None:
        """What brings the second frame of a pair whose flow is known into the light of the first."""
        return self._exposures.get(position)

    def known_or(
        self,
        what: str,
        position: int,
        compute: Callable[[int], tuple[Tensor, Exposure | None]],
        *places: Box,
    ) -> tuple[Tensor, Exposure | None]:
        """Flows of a pair at some places, and the exposure; computed unless they are remembered."""
        if self.remembered is None:
            return compute(position)

        def anew() -> tuple[tuple[Tensor, Exposure | None], list[Tensor]]:
            result = compute(position)
            return result, [result[0]]

        return self.remembered.get(digest(what, *map(self.digest, (position, position + 1)), *places), anew)

    def digest(self, position: int) -> str:
        """Of a frame; computed once."""
        if position not in self._digests:
            self._digests[position] = digest(self.interval.rgb(self._sequence[position]))
        return self._digests[position]

    def _compute(self, position: int) -> tuple[Tensor, Exposure | None]:
        """As `flow`, half precision, and `exposure`."""
        assert self.estimators.coarse is not None
        first, second = self._small(position), self._small(position + 1)
        exposure = exposure_between(second, first)
        if exposure is not None:
            second = exposure.apply(second)
        flows = self.estimators.coarse.estimate(torch.cat((first, second)), torch.cat((second, first)))
        return flows.half(), exposure

    def _small(self, position: int) -> Tensor:
        """A frame at the coarse size (1, 3, h, w); the latest ones are kept, for each is needed twice."""
        kept = self._small_images.get(position)
        if kept is None:
            # Every second pixel first: the whole frame as floats would cost more than the flow.
            rgb = self.interval.rgb(self._sequence[position])[:: COARSE // 2, :: COARSE // 2]
            image = to_image(rgb, whole(rgb.shape[:2]), self.estimators.device)
            kept = functional.avg_pool2d(image, 2, ceil_mode=True)
            self._small_images[position] = kept
            self._small_images.pop(position - 2 * CHUNK, None)
            self._small_images.pop(position + 2 * CHUNK, None)
        return kept

    def _kept(self, position: int) -> Tensor | None:
        if self._spill is None:
            return self._flows.get(position)
        try:
            return torch.from_numpy(self._spill.get(position)).to(self.estimators.device)
        except KeyError:
            return None


class Motion:
    """Flows between the neighbouring frames of an interval, both ways, on boxes that follow some objects.

    Short intervals keep each flow until it was used from both sides. Long ones compute fine ones again for
    the second side, so that memory does not grow with the interval.
    """

    def __init__(
        self, coarse: CoarseMotion, boxes: list[Box], *, on_flow: Callable[[int], None] = lambda _: None
    ) -> None:
        """Nothing is computed before it is needed.

        Args:
            coarse: motion of the interval.
            boxes: of its frames, see `groups`.
            on_flow: is told of how many fine flows were computed.
        """
        self.coarse, self.boxes, self._on_flow = coarse, boxes, on_flow
        self._interval, self._estimators = coarse.interval, coarse.estimators
        self._sequence = self._interval.sequence
        self._fine: dict[int, Tensor] = {}

    def pairs(self, *, backwards: bool) -> Iterator[tuple[int, Box, Tensor]]:
        """The pairs of neighbours in order: position of the first, box, flows there and back.

        These are in half precision (2, 2, h, w).
        """
        positions = list(range(len(self._sequence) - 1))
        if backwards:
            positions.reverse()
        for chunk in chunks(positions):
            wanted = [position for position in chunk if position not in self._fine]
            flows = dict(zip(wanted, self.coarse.workers.map(self._fine_flow, wanted), strict=True))
            self._on_flow(len(wanted))
            flows |= {position: self._fine.pop(position) for position in chunk if position in self._fine}
            if not self._interval.frames.is_long and not backwards:
                self._fine |= flows
            for position in chunk:
                yield position, self.pair_box(position), flows[position]

    def pair_box(self, position: int) -> Box:
        """Where the flows between a frame and its successor are known."""
        return self.boxes[position].union(self.boxes[position + 1])

    def _fine_flow(self, position: int) -> Tensor:
        """Flows of a pair on its box, half precision (2, 2, h, w); the same whichever side asks."""
        what = f"fine {self._estimators.adjacent.name}"
        return self.coarse.known_or(what, position, self._compute_fine, self.pair_box(position))[0]

    def _compute_fine(self, position: int) -> tuple[Tensor, None]:
        wanted, size = self.pair_box(position), self._interval.size
        box = wanted.grow(self._estimators.context, CONTEXT_SHARE, size).align(COARSE, size)
        first, second = (self._interval.image(self._sequence[at], box) for at in (position, position + 1))
        if self._estimators.coarse is None:
            initial, second = None, in_light_of(second, first)
        else:
            initial = _enlarge(self.coarse.flow(position), box)
            exposure = self.coarse.exposure(position)
            second = second if exposure is None else exposure.apply(second)
        flows = self._estimators.adjacent.estimate(
            torch.cat((first, second)), torch.cat((second, first)), initial=initial
        )
        return wanted.shift(-box.top, -box.left).crop(flows).half(), None


def _enlarge(coarse: Tensor, box: Box) -> Tensor:
    """The part of a coarse flow inside a box of the full size, with vectors in full pixels."""
    height, width = box.size
    part = coarse[
        ..., box.top // COARSE : -(-box.bottom // COARSE), box.left // COARSE : -(-box.right // COARSE)
    ]
    large = functional.interpolate(part, scale_factor=COARSE, mode="bilinear", align_corners=False)
    return large[..., :height, :width] * COARSE


def chunks(positions: list[int]) -> Iterator[list[int]]:
    """The positions, CHUNK at a time."""
    bounds = [*range(0, len(positions), CHUNK), len(positions)]
    for begin, end in pairwise(bounds):
        yield positions[begin:end]
