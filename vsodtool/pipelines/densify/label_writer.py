"""The files of one labelled frame: mask, and if wanted probability and confidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vsodtool.config.schema import PseudoLabelConfig
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png
from vsodtool.media.masks.sparse import MaskSet
from vsodtool.media.output.layout import OutputLayout
from vsodtool.ops.confidence import frame_confidence, to_bytes
from vsodtool.pipelines.densify.dense_frame import DenseFrame
from vsodtool.types import FrameRecord, FrameStatus


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
