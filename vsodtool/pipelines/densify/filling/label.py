"""The label of one target frame: as a method makes it, and in its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from torch import Tensor

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.layout import OutputLayout
from vsodtool.ops.boxes import Box
from vsodtool.ops.confidence import margin, object_confidences, owners, to_bytes
from vsodtool.pipelines.densify.updating.basis import Basis
from vsodtool.types import FrameRecord, FrameStatus, LabelArray, Size

NOTHING_KNOWN = 0.3  # confidence where no label of the shot says anything
Number = TypeVar("Number", np.uint8, np.uint16)


@dataclass(frozen=True)
class SoftLabel:
    """What a method makes of one target frame, on a box of it; outside there is no object and no doubt.

    Attributes:
        index: of the frame in its video.
        size: (H, W) of the frame.
        box: where the label is known.
        labels: one channel per object (1, O, h, w) in [0, 1].
        trust: what their clearness is worth (1, 1, h, w) in [0, 1], see `ops.confidence.trust`.
        support: what else tells right pixels from wrong ones (1, 1, h, w) in [0, 1], but good frames from bad
            ones no better; None tells nothing.
        shown: objects that both labels show, by channel, and how surely each is here, in [0, 1]; empty where
            all surely are.
        of_frame: power of trust in what the J of the frame is expected from: 1, or less where trust tells
            good frames from bad ones, but is far below their J.
        expected: J that the mask of each object can be expected to reach, where that is known better than
            from the pixels; None of one that is nowhere.
    """

    index: int
    size: Size
    box: Box
    labels: Tensor
    trust: Tensor
    support: Tensor | None = None
    shown: Mapping[int, float] = field(default_factory=dict)
    of_frame: float = 1.0
    expected: Sequence[float | None] | None = None

    @property
    def clearness(self) -> Tensor:
        """How clearly pixels have their owner (1, 1, h, w) in [0, 1]."""
        return margin(self.labels) * self.trust

    @property
    def certainty(self) -> Tensor:
        """What the J of the frame is expected from (1, 1, h, w) in [0, 1]."""
        return 1 - (1 - margin(self.labels) * self.trust**self.of_frame)

    @property
    def confidence(self) -> Tensor:
        """Of the pixels (1, 1, h, w) in [0, 1]."""
        sure = self.clearness if self.support is None else self.clearness * self.support
        return 1 - (1 - sure)

    @property
    def frame_confidence(self) -> float:
        """The J that the masks of its objects are expected to reach in the mean, in [0, 1]."""
        found = [sure for sure in self.object_confidences if sure is not None]
        return sum(found) / len(found) if found else 1.0

    @cached_property
    def object_confidences(self) -> list[float | None]:
        """The J that the mask of each object is expected to reach, in [0, 1]; None of one that is nowhere."""
        of_pixels = self.expected or object_confidences(self.labels, self.certainty)
        return [
            self.shown[number] * (1.0 if sure is None else sure) if number in self.shown else sure
            for number, sure in enumerate(of_pixels)
        ]

    def ids(self, object_ids: Sequence[int]) -> LabelArray:
        """The id of the winner at each pixel, uint16 (H, W), 0 = background; `object_ids` by channel."""
        named = np.array([0, *object_ids], np.uint16)
        owner: LabelArray = named[owners(self.labels)[0, 0].cpu().numpy()]
        return self._in_frame(owner, outside=0)

    def soft(self) -> npt.NDArray[np.uint8]:
        """8-bit probability that anything salient is there (H, W)."""
        soft: npt.NDArray[np.uint8] = to_bytes(self.labels.sum(dim=1))[0].cpu().numpy()
        return self._in_frame(soft, outside=0)

    def sure(self) -> npt.NDArray[np.uint8]:
        """8-bit confidence (H, W)."""
        sure: npt.NDArray[np.uint8] = to_bytes(self.confidence)[0, 0].cpu().numpy()
        return self._in_frame(sure, outside=255)

    def _in_frame(self, values: npt.NDArray[Number], *, outside: int) -> npt.NDArray[Number]:
        frame: npt.NDArray[Number] = np.full(self.size, outside, values.dtype)
        frame[self.box.top : self.box.bottom, self.box.left : self.box.right] = values
        return frame


class LabelWriter:
    """Writes the outputs of one video; safe to use from several threads."""

    def __init__(self, config: PseudoLabelConfig, layout: OutputLayout, masks: MaskSet, basis: Basis) -> None:
        self._config, self._layout, self._masks, self._basis = config, layout, masks, basis

    def write_given(self, name: str) -> FrameRecord:
        """Give the user's own mask back, pixel by pixel."""
        video = self._masks.video
        if self._config.soft or self._config.confidence:
            drawn = self._masks.read(name) > 0
            if self._config.soft:
                soft = np.where(drawn, np.uint8(255), np.uint8(0))
                write_bytes_atomically(self._layout.soft(video, name), encode_png(soft))
            if self._config.confidence:
                sure = np.full(drawn.shape, 255, np.uint8)
                write_bytes_atomically(self._layout.confidence(video, name), encode_png(sure))
        write_bytes_atomically(self._layout.masks(video, name), self._masks.given_png(name))
        return FrameRecord(video, name, FrameStatus.GIVEN, name, name, 1.0, self._basis.of(name, name, name))

    def write_generated(self, name: str, label: SoftLabel, left: str, right: str) -> FrameRecord:
        """Write what was made for a frame between the labelled frames `left` and `right` ("" for none)."""
        video = self._masks.video
        if self._config.soft:
            write_bytes_atomically(self._layout.soft(video, name), encode_png(label.soft()))
        if self._config.confidence:
            write_bytes_atomically(self._layout.confidence(video, name), encode_png(label.sure()))
        mask = self._masks.encoding.encode(label.ids(self._masks.object_ids))
        write_bytes_atomically(self._layout.masks(video, name), mask)
        confidence = round(label.frame_confidence, 4)
        basis = self._basis.of(name, left, right)
        objects = tuple(
            (number, round(sure, 4))
            for number, sure in zip(self._masks.object_ids, label.object_confidences, strict=True)
            if sure is not None and len(self._masks.object_ids) > 1
        )
        return FrameRecord(video, name, FrameStatus.GENERATED, left, right, confidence, basis, objects)

    def write_nothing(self, name: str, size: Size) -> FrameRecord:
        """Write the empty label of a frame (H, W) of a shot in which no frame is labelled."""
        video, empty = self._masks.video, np.zeros(size, np.uint8)
        if self._config.soft:
            write_bytes_atomically(self._layout.soft(video, name), encode_png(empty))
        if self._config.confidence:
            doubt = np.full(size, round(255 * NOTHING_KNOWN), np.uint8)
            write_bytes_atomically(self._layout.confidence(video, name), encode_png(doubt))
        mask = self._masks.encoding.encode(empty.astype(np.uint16))
        write_bytes_atomically(self._layout.masks(video, name), mask)
        basis = self._basis.of(name, "", "")
        return FrameRecord(video, name, FrameStatus.GENERATED, "", "", NOTHING_KNOWN, basis)


def output_files(config: PseudoLabelConfig, layout: OutputLayout, record: FrameRecord) -> Iterator[Path]:
    """The files that a finished frame must have."""
    if record.status is FrameStatus.SKIPPED:
        return
    yield layout.masks(record.video, record.frame)
    if config.soft:
        yield layout.soft(record.video, record.frame)
    if config.confidence:
        yield layout.confidence(record.video, record.frame)
