"""An interval on a small picture of its frames: what the tracker sees in each of them.

What is salient, features and motion, and from these what an object and its rivals look like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from vsodtool.media.spill import FrameSpill
from vsodtool.models.backbones.efficientnet_lite import EfficientNetLiteBackbone
from vsodtool.models.flow.by_patches import ByPatches
from vsodtool.models.flow.dis import DisSettings
from vsodtool.native.inverse_search import SearchSettings
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
    votes,
    with_rivals,
)
from vsodtool.ops.resize import resize_flow, resize_maps
from vsodtool.pipelines.densify.interval import Interval
from vsodtool.pipelines.densify.motion import chunks
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.types import ImageArray, Size

OBJECT = 0.5  # what is more is the object
SALIENT, FEATURES = 0.4, 0.4  # of the tracker's work; the rest is walking
_SAMPLED = 8  # frames that the features' mean and spread are taken from
_FLOW = ByPatches(SearchSettings(0, 4, 3, 2), DisSettings(0, 8, 4, 12, 2))  # at half of the picture
_KINDS = ("salient", "features", "flows")  # what is kept of a frame

Saliency = Callable[[Iterable[ImageArray], int], Iterator[Tensor]]
"""Frames of a shot in order, and how many -> how salient each pixel is, (1, 1, S, S) in [0, 1] each."""


class SmallInterval:
    """An interval as the tracker sees it; what is kept of long ones lies on disk.

    First `look`, then `look_closely`: features are needed only where what is salient speaks of an object.

    Attributes:
        labels: of the labelled frames by index, on the grid (O, h, w), 0 or 1.
        near: see `ops.labels.tracking.neighbourhood`.
    """

    def __init__(
        self,
        interval: Interval,
        backbone: EfficientNetLiteBackbone,
        workers: Workers,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            interval: with one label or two.
            backbone: makes features.
            workers: do the heavy pieces.
            dtype: of the backbone.
        """
        self._interval, self._backbone, self._dtype = interval, backbone, dtype
        self._estimator, self._workers = _FLOW.estimator(), workers
        self._sequence = interval.sequence
        self._device = interval.known.labels.device
        self._picture = picture_size(interval.size)
        self._grid = grid_size(interval.size)
        self.near = neighbourhood((self._picture[0] // CELL, self._picture[1] // CELL), self._device)
        self.labels = {
            known.index: resize_maps(known.labels, self._grid).gt(OBJECT).float()[0]
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
            on_done(SALIENT / len(self._sequence))
        return True

    def look_closely(self, on_done: Callable[[float], None]) -> bool:
        """Find features and motion of every frame; whether nobody cancelled that."""
        sampled = self._sampled()
        self._seen = dict(zip(sampled, self._workers.map(self._see, sampled), strict=True))
        self._moments = moments_of(list(self._seen.values()))
        for chunk in chunks(list(range(len(self._sequence)))):
            if self._workers.cancelled():
                return False
            self._workers.map(self._look_at, chunk)
            on_done(FEATURES * len(chunk) / len(self._sequence))
        return True

    @cached_property
    def noticed(self) -> list[float]:
        """How far what is salient speaks of each object: mean of `ops.labels.tracking.notice`."""
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
        picture = picture.to(self._dtype, memory_format=torch.channels_last)
        _, eighth, sixteenth = self._backbone.shallow(picture)
        return functional.avg_pool2d(eighth.float(), 2), sixteenth.float()

    def _look_at(self, position: int) -> None:
        """Features of a frame, and the motion between it and the frame before."""
        index = self._sequence[position]
        seen = self._seen.pop(index, None) or self._see(index)
        self._put("features", position, standardised(seen, self._moments).half())
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
