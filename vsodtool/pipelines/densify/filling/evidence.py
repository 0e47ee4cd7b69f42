"""What is known of a target frame: the labels beside it, brought there in two ways."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from vsodtool.media.spill import FrameSpill
from vsodtool.ops.boxes import Box, bounding_box, rebox, whole
from vsodtool.ops.confidence import to_bytes
from vsodtool.ops.labels.exposure import Exposure, exposure_between
from vsodtool.ops.labels.own_motion import Known, own_motion
from vsodtool.ops.labels.propagation import Carried
from vsodtool.ops.warp import sample, sample_all
from vsodtool.pipelines.densify.filling.label import SoftLabel
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame
from vsodtool.types import FlowEstimator, ImageArray

_OBJECT = 0.5  # soft labels above this are object
_FAINT = 0.02  # soft labels below this are none


@dataclass(frozen=True)
class Side:
    """What one labelled frame says about a target frame, on a box of it.

    Its label comes there in two ways: carried along adjacent flows, and warped once, along the composed flow
    corrected by what it left over. The first dimension of `labels` and `views` tells them, in this order.

    Attributes:
        known: the labelled frame.
        distance: in frames, at least 1.
        labels: (2, O, h, w) in [0, 1].
        views: the labelled frame brought there alike, in the light of the target (2, 3, h, w) in [0, 1].
        consistency: of the adjacent flows (1, 1, h, w) in [0, 1].
        flow: the corrected one, from the target to the labelled frame (1, 2, h, w) in pixels; of the first
            side only where the method wants whole frames.
        exposure: brings the labelled frame into the light of the target; None where it is the same, and of a
            side that was kept.
    """

    known: LabelledFrame
    distance: int
    labels: Tensor
    views: Tensor
    consistency: Tensor
    flow: Tensor | None = None
    exposure: Exposure | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known about a target frame, on a box of it; tensors on the device of the run.

    Attributes:
        interval: that it lies in.
        index: of the frame in its video.
        rgb: the whole frame, uint8 (H, W, 3).
        box: all of it, or what holds the objects, as the method wants it.
        image: that box of the frame (1, 3, h, w) in [0, 1].
        sides: from the labelled frame before it, after it, or both, in this order; none where the method
            wants nothing but the labelled frames.
        asked: the objects that are asked for, by channel; None asks for all.
    """

    interval: Interval
    index: int
    rgb: ImageArray
    box: Box
    image: Tensor
    sides: list[Side]
    asked: frozenset[int] | None = None

    @property
    def present(self) -> list[bool]:
        """For each object whether it is asked for, and one of the labels shows it."""
        shown, asked = self.interval.present, self.asked
        return shown if asked is None else [each and number in asked for number, each in enumerate(shown)]

    @cached_property
    def labels(self) -> Tensor:
        """Of both ways of all sides (2 or 4, O, h, w), as `views` and `consistency`."""
        return torch.cat([side.labels for side in self.sides])

    @property
    def views(self) -> Tensor:
        """The labelled frames brought here (2 or 4, 3, h, w)."""
        return torch.cat([side.views for side in self.sides])

    @property
    def consistency(self) -> Tensor:
        """Of the flows (2 or 4, 1, h, w)."""
        return torch.cat([side.consistency for side in self.sides for _ in side.labels])

    def around_labels(self, margin: int) -> Evidence:
        """The same on the part of its box where a label came, and so many pixels around it.

        Boxes were found by the coarse motion, and before it was known how far labels really come.
        """
        found = bounding_box(self.labels, _FAINT)
        return self if found is None else self.part(found.grow(margin, 0.0, self.box.size))

    def around_object(self, number: int, guess: Tensor, margin: int) -> Box | None:
        """The part of its box where a label of one object came or is guessed (1, O, h, w); None: nowhere."""
        said = torch.cat((self.labels[:, number, None], guess[:, number, None]))
        found = bounding_box(said, _FAINT)
        return None if found is None else found.grow(margin, 0.0, self.box.size)

    def part(self, part: Box, *, copied: bool = True) -> Evidence:
        """The same on a part of its box.

        Args:
            part: of the box.
            copied: the part alone lies in memory; else it is a view, to look at once.
        """
        if part.size == self.box.size:
            return self

        def crop(values: Tensor) -> Tensor:
            return part.crop(values).contiguous() if copied else part.crop(values)

        sides = [
            replace(
                side,
                labels=crop(side.labels),
                views=crop(side.views),
                consistency=crop(side.consistency),
                flow=side.flow if side.flow is None else crop(side.flow),
            )
            for side in self.sides
        ]
        box = part.shift(*self.box.origin)
        return replace(self, box=box, image=crop(self.image), sides=sides)

    def answer(
        self, labels: Tensor, trust: Tensor, support: Tensor | None = None, *, of_frame: float = 1.0
    ) -> SoftLabel:
        """The label that a method makes of this, see `SoftLabel`; all on `box`."""
        size = self.interval.size
        return SoftLabel(self.index, size, self.box, labels, trust, support, of_frame=of_frame)


def side_evidence(
    known: LabelledFrame,
    label_image: Tensor,
    image: Tensor,
    refining: FlowEstimator,
    *,
    index: int,
    carried: Carried,
    hiding: bool = False,
) -> Side:
    """What a labelled frame says about a target, on the box of what was carried there.

    The refined way: flow straight from the target to the labelled frame, started from the composed flow, and
    so with its reach but without its drift. Together with the photometric weights it gains 4 points of J at
    K = 20 on davis-train; started from nothing it would lose the object on long ways (data/baseline.md).
    Estimating what motion is left between the target and the warped labelled frame gained 0.8 points less.

    Args:
        known: the labelled frame.
        label_image: all of it (1, 3, H, W) in [0, 1].
        image: the target frame on its box (1, 3, h, w) in [0, 1].
        refining: estimates that flow.
        index: of the target frame.
        carried: the label, carried there.
        hiding: objects may hide each other on the way, see `ops.labels.own_motion`.
    """
    box = carried.box
    view = sample(label_image, carried.flow, origin=box.origin)
    exposure = exposure_between(view, image, aligned=True)
    if exposure is not None:  # the target stays as it is: what a flash cut off, it cuts off there too
        label_image, view = exposure.apply(label_image), exposure.apply(view)
    rows, columns = _main_motion(carried)
    there = rebox(
        label_image, whole((label_image.shape[-2], label_image.shape[-1])), box.shift(rows, columns)
    ).contiguous()
    moved = carried.flow.new_tensor([columns, rows]).view(1, 2, 1, 1)
    flow = refining.estimate(image, there, initial=carried.flow - moved) + moved
    brought = carried.labels
    if hiding:
        behind = Known(label_image, known.labels, carried.labels, carried.consistency, box.origin)
        flow, _ = own_motion(flow, image, behind)
        own, changed = own_motion(carried.flow, image, behind)
        view, brought = (
            torch.where(changed, sample(values, own, origin=box.origin), before)
            for values, before in ((label_image, view), (known.labels, brought))
        )
    image_again, labels_again = sample_all((label_image, known.labels), flow, origin=box.origin)
    return Side(
        known,
        abs(index - known.index),
        torch.cat((brought, labels_again)),
        torch.cat((view, image_again)),
        carried.consistency,
        flow,
        exposure,
    )


def _main_motion(carried: Carried) -> tuple[int, int]:
    """Where the objects mostly came from, in whole pixels (down, right)."""
    few = (..., slice(None, None, 4), slice(None, None, 4))  # every 16th pixel tells as much
    inside = carried.labels[few].amax(dim=1) > _OBJECT
    flow = carried.flow[few][:, :, inside[0]] if bool(inside.any()) else carried.flow[few].flatten(2)
    columns, rows = flow[0].median(dim=-1).values.tolist()
    return round(rows), round(columns)


class SideStore:
    """What the first side of an interval says about its frames, kept until the second side comes by.

    Maps as bytes and flows in half precision; in memory, or for long intervals on disk.

    Args:
        interval: whose.
        with_flow: keep the flows too.
    """

    def __init__(self, interval: Interval, *, with_flow: bool = False) -> None:
        self._known = interval.known
        self._maps = Shelf(interval)
        self._flows = Shelf(interval) if with_flow else None

    def put(self, index: int, side: Side) -> None:
        """Keep a side; frames may be put from several threads."""
        parts = (side.labels, side.views, side.consistency)
        self._maps.put(index, torch.cat([to_bytes(part).flatten(0, 1) for part in parts]))
        if self._flows is not None:
            assert side.flow is not None
            self._flows.put(index, side.flow.half())

    def take(self, index: int) -> Side:
        """What was put, and forget it."""
        maps = self._maps.take(index).float().div_(255)
        known, count = self._known, self._known.labels.shape[1]
        labels, views, consistency = torch.split(maps, [2 * count, 6, 1])
        flow = None if self._flows is None else self._flows.take(index).float()
        both = (2, -1, *maps.shape[-2:])
        return Side(
            known,
            abs(index - known.index),
            labels.view(both),
            views.view(both),
            consistency[None],
            flow,
        )

    def close(self) -> None:
        """Forget everything."""
        self._maps.close()
        if self._flows is not None:
            self._flows.close()


class Shelf:
    """Tensors by index, each taken once; those of long intervals are put aside on disk.

    Args:
        interval: whose.
        large: put them aside whatever its length: they are larger than its frames.
    """

    def __init__(self, interval: Interval, *, large: bool = False) -> None:
        aside = interval.frames.is_long or large
        self._spill: FrameSpill | None = interval.frames.spill() if aside else None
        self._held: dict[int, Tensor] = {}
        self._put = set[int]()  # and not yet taken
        self._device = interval.known.labels.device

    def __len__(self) -> int:
        return len(self._put)

    def put(self, index: int, values: Tensor) -> None:
        """Keep something; may be called from several threads."""
        self._put.add(index)
        if self._spill is None:
            self._held[index] = values
        else:
            self._spill.put(index, values.cpu().numpy())

    def take(self, index: int) -> Tensor:
        """What was put, and forget it."""
        self._put.remove(index)
        if self._spill is None:
            return self._held.pop(index)
        array: npt.NDArray[Any] = self._spill.get(index)
        self._spill.discard(index)
        return torch.from_numpy(array).to(self._device)

    def close(self) -> None:
        """Forget everything."""
        if self._spill is not None:
            self._spill.close()
