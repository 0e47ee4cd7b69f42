"""The label of one target frame: as a method makes it, in the frame, and in its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.layout import OutputLayout
from vsodtool.ops.boxes import Box, paste
from vsodtool.ops.confidence import frame_confidence, margin, owners, to_bytes
from vsodtool.types import FrameRecord, FrameStatus, LabelArray, Size


@dataclass(frozen=True)
class Generated:
    """The answer.

    Attributes:
        labels: soft labels (1, O, h, w) in [0, 1].
        trust: what their clearness is worth (1, 1, h, w) in [0, 1], see `ops.confidence.trust`.
        support: what else tells right pixels from wrong ones (1, 1, h, w) in [0, 1], but good frames from bad
            ones no better; None tells nothing.
    """

    labels: Tensor
    trust: Tensor
    support: Tensor | None = None

    @property
    def certainty(self) -> Tensor:
        """What the J of the frame is expected from (1, 1, h, w) in [0, 1]."""
        return margin(self.labels) * self.trust

    @property
    def confidence(self) -> Tensor:
        """Of the pixels (1, 1, h, w) in [0, 1]."""
        return self.certainty if self.support is None else self.certainty * self.support


@dataclass(frozen=True)
class DenseFrame:
    """The soft label of one target frame, in the frame's own size.

    Attributes:
        index: of the frame.
        labels: (1, O, H, W) in [0, 1].
        confidence: of the pixels (1, 1, H, W) in [0, 1].
        certainty: what the J of the frame is expected from (1, 1, H, W) in [0, 1].
        box: all labels and all doubt lie inside.
    """

    index: int
    labels: Tensor
    confidence: Tensor
    certainty: Tensor
    box: Box

    def ids(self, object_ids: Sequence[int]) -> LabelArray:
        """The id of the winner at each pixel, uint16 (H, W), 0 = background; `object_ids` by channel."""
        box = self.box
        found: LabelArray = np.zeros(self.labels.shape[-2:], np.uint16)
        named = np.array([0, *object_ids], np.uint16)
        found[box.top : box.bottom, box.left : box.right] = named[owners(box.crop(self.labels))[0, 0].numpy()]
        return found


def in_frame(index: int, generated: Generated, box: Box, size: Size) -> DenseFrame:
    """What was generated on a box, in a frame of `size`."""
    labels = paste(generated.labels, box, size)
    # Outside the box there is nothing to doubt.
    confidence, certainty = (
        1 - paste(1 - sure, box, size) for sure in (generated.confidence, generated.certainty)
    )
    return DenseFrame(index, labels, confidence, certainty, box)


class LabelWriter:
    """Writes the outputs of one video; safe to use from several threads."""

    def __init__(self, config: PseudoLabelConfig, layout: OutputLayout, masks: MaskSet) -> None:
        self._config, self._layout, self._masks = config, layout, masks

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
        return FrameRecord(video, name, FrameStatus.GIVEN, name, name, 1.0)

    def write_generated(self, name: str, dense: DenseFrame, left: str, right: str) -> FrameRecord:
        """Write what was made for a frame between the labelled frames `left` and `right` ("" for none)."""
        video = self._masks.video
        labels, certainty = dense.box.crop(dense.labels), dense.box.crop(dense.certainty)
        confidence = round(frame_confidence(labels, certainty), 4)
        if self._config.soft:
            soft = to_bytes(dense.labels.sum(dim=1)[0])
            write_bytes_atomically(self._layout.soft(video, name), encode_png(soft.numpy()))
        if self._config.confidence:
            sure = to_bytes(dense.confidence[0, 0])
            write_bytes_atomically(self._layout.confidence(video, name), encode_png(sure.numpy()))
        write_bytes_atomically(
            self._layout.masks(video, name), self._masks.encoding.encode(dense.ids(self._masks.object_ids))
        )
        return FrameRecord(video, name, FrameStatus.GENERATED, left, right, confidence)


def output_files(config: PseudoLabelConfig, layout: OutputLayout, record: FrameRecord) -> Iterator[Path]:
    """The files that a finished frame must have."""
    if record.status is FrameStatus.SKIPPED:
        return
    yield layout.masks(record.video, record.frame)
    if config.soft:
        yield layout.soft(record.video, record.frame)
    if config.confidence:
        yield layout.confidence(record.video, record.frame)
