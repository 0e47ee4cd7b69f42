"""The motion of one interval: coarse over the whole frame, then fine where an object can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.media.spill import FrameSpill
from vsodtool.ops.boxes import Box, bounding_box, whole
from vsodtool.ops.labels.exposure import Exposure, exposure_between, in_light_of
from vsodtool.ops.warp import sample
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, to_image
from vsodtool.pipelines.densify.remembered import Remembered, digest
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import FlowEstimator

COARSE = 4  # the coarse flow is computed at a quarter of the size
STEP = 16  # sides of boxes are multiples of this: a mask that changes little leaves them, and flows, alone
CONTEXT_SHARE = 0.05  # flow sees at least this share of an object's longer side around it
TRACE = 0.05  # a coarse soft label counts as object above this: too large a box costs time only
CPU = torch.device("cpu")
CHUNK = 4  # pairs in the work at once


@dataclass(frozen=True)
class MotionEstimators:
    """The estimators of one run.

    Attributes:
        adjacent: flow between neighbouring frames.
        refining: flow between a frame and a distant labelled one, started from what is known.
        coarse: flow at a quarter of the size that says where to look; None looks everywhere.
        margin: pixels around the place where the coarse flow carries an object, in which it may be.
        context: pixels around that which the flow sees too.
        device: where images, flows and labels are, until a label is written.
        remembered: keeps what comes of short intervals for later runs; None: nothing is kept.
    """

    adjacent: FlowEstimator
    refining: FlowEstimator
    coarse: FlowEstimator | None = None
    margin: int = 32
    context: int = 32
    device: torch.device = CPU
    remembered: Remembered | None = None

    @property
    def name(self) -> str:
        """The names of its estimators, each once."""
        names = [part.name for part in (self.adjacent, self.refining, self.coarse) if part is not None]
        return " + ".join(dict.fromkeys(names))


class Motion:
    """Flows between the neighbouring frames of an interval, both ways, on boxes that follow the objects.

    Short intervals keep each flow until it was used from both sides. Long ones put coarse flows aside on disk
    and compute fine ones again for the second side, so that memory does not grow with the interval.
    With `everywhere` the boxes are the whole frames. `on_flow` is told of how many fine ones were computed.
    """

    def __init__(
        self,
        interval: Interval,
        estimators: MotionEstimators,
        workers: Workers,
        *,
        everywhere: bool = False,
        on_flow: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._on_flow = on_flow
        self._interval, self._estimators, self._workers = interval, estimators, workers
        self._sequence = interval.sequence
        self._spill: FrameSpill | None = interval.frames.spill() if interval.frames.is_long else None
        self._coarse: dict[int, Tensor] = {}
        self._fine: dict[int, Tensor] = {}
        self._small_images: dict[int, Tensor] = {}
        self._exposures: dict[int, Exposure] = {}  # of second frames of pairs, where the light changes
        self.remembered = None if interval.frames.is_long else estimators.remembered
        self._digests: dict[int, str] = {}
        self.boxes = self._whole_frames() if everywhere or estimators.coarse is None else self._find_boxes()

    def close(self) -> None:
        """Forget everything."""
        if self._spill is not None:
            self._spill.close()

    def pairs(self, *, backwards: bool) -> Iterator[tuple[int, Box, Tensor]]:
        """The pairs of neighbours in order: position of the first, box, flows there and back (2, 2, h, w)."""
        positions = list(range(len(self._sequence) - 1))
        if backwards:
            positions.reverse()
        for chunk in chunks(positions):
            wanted = [position for position in chunk if position not in self._fine]
            flows = dict(zip(wanted, self._workers.map(self._fine_flow, wanted), strict=True))
            self._on_flow(len(wanted))
            flows |= {position: self._fine.pop(position) for position in chunk if position in self._fine}
            if self._spill is None and not backwards:
                self._fine |= flows
            for position in chunk:
                yield position, self.pair_box(position), flows[position].float()

    def pair_box(self, position: int) -> Box:
        """Where the flows between a frame and its successor are known."""
        return self.boxes[position].union(self.boxes[position + 1])

    def _whole_frames(self) -> list[Box]:
        return [whole(self._interval.size)] * len(self._sequence)

    def _find_boxes(self) -> list[Box]:
        size = self._interval.size
        found: list[Box | None] = [None] * len(self._sequence)
        positions = list(range(len(self._sequence) - 1))
        if self._interval.left is not None:
            self._trace(self._interval.left, positions, 0, found)
        if self._interval.right is not None:
            self._trace(self._interval.right, positions[::-1], 1, found)
        nothing = Box(0, 0, min(COARSE, size[0]), min(COARSE, size[1]))
        margin = self._estimators.margin
        return [
            box.scale(COARSE, size).grow(margin, 0.0, size).align(STEP, size) if box else nothing
            for box in found
        ]

    def _trace(self, known: LabelledFrame, positions: list[int], side: int, found: list[Box | None]) -> None:
        """Follow a label with the coarse flow and widen the boxes that it passes."""
        labels = functional.max_pool2d(known.labels, COARSE, ceil_mode=True).amax(dim=1, keepdim=True)
        box = bounding_box(labels, TRACE)
        if box is None:  # an empty label: nothing to follow
            return
        start = positions[0] + side if positions else 0
        found[start] = box if found[start] is None else box.union(found[start] or box)
        for chunk in chunks(positions):
            if self._workers.cancelled():
                return
            for position, flows in zip(chunk, self._workers.map(self._coarse_flow, chunk), strict=True):
                # The label comes from frame `position + side` and goes to the other frame of the pair.
                labels = sample(labels, flows[1 - side : 2 - side])
                box = bounding_box(labels, TRACE) or box  # lost: look on where it was last
                here = position + 1 - side
                before = found[here]
                found[here] = box if before is None else box.union(before)

    def _coarse_flow(self, position: int) -> Tensor:
        """Flows of a pair at the coarse size (2, 2, h, w): from the first frame to the second, and back."""
        kept = self._kept_coarse(position)
        if kept is not None:
            return kept.float()
        flows, exposure = self._known_or("coarse", position, self._compute_coarse)
        if exposure is not None:
            self._exposures[position] = exposure
        if self._spill is None:
            self._coarse[position] = flows
        else:
            self._spill.put(position, flows.cpu().numpy())
        return flows.float()

    def _compute_coarse(self, position: int) -> tuple[Tensor, Exposure | None]:
        """As `_coarse_flow`, half precision, and what brings the second frame into the light of the first."""
        assert self._estimators.coarse is not None
        first, second = self._small(position), self._small(position + 1)
        exposure = exposure_between(second, first)
        if exposure is not None:
            second = exposure.apply(second)
        flows = self._estimators.coarse.estimate(torch.cat((first, second)), torch.cat((second, first)))
        return flows.half(), exposure

    def _known_or(
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
            self._digests[position] = digest(self._interval.rgb(self._sequence[position]))
        return self._digests[position]

    def _small(self, position: int) -> Tensor:
        """A frame at the coarse size (1, 3, h, w); the latest ones are kept, for each is needed twice."""
        kept = self._small_images.get(position)
        if kept is None:
            # Every second pixel first: the whole frame as floats would cost more than the flow.
            rgb = self._interval.rgb(self._sequence[position])[:: COARSE // 2, :: COARSE // 2]
            image = to_image(rgb, whole(rgb.shape[:2]), self._estimators.device)
            kept = functional.avg_pool2d(image, 2, ceil_mode=True)
            self._small_images[position] = kept
            self._small_images.pop(position - 2 * CHUNK, None)
            self._small_images.pop(position + 2 * CHUNK, None)
        return kept

    def _kept_coarse(self, position: int) -> Tensor | None:
        if self._spill is None:
            return self._coarse.get(position)
        try:
            return torch.from_numpy(self._spill.get(position)).to(self._estimators.device)
        except KeyError:
            return None

    def _fine_flow(self, position: int) -> Tensor:
        """Flows of a pair on its box, half precision (2, 2, h, w); the same whichever side asks."""
        return self._known_or("fine", position, self._compute_fine, self.pair_box(position))[0]

    def _compute_fine(self, position: int) -> tuple[Tensor, None]:
        wanted, size = self.pair_box(position), self._interval.size
        box = wanted.grow(self._estimators.context, CONTEXT_SHARE, size).align(COARSE, size)
        first, second = (self._interval.image(self._sequence[at], box) for at in (position, position + 1))
        if self._estimators.coarse is None:
            initial, second = None, in_light_of(second, first)
        else:
            initial = _enlarge(self._coarse_flow(position), box)
            exposure = self._exposures.get(position)
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
