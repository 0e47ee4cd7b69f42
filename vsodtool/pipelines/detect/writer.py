"""The files of one frame of `predict`: probability, and if wanted mask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vsodtool.config.predict import PredictConfig
from vsodtool.media.atomic import write_bytes_atomically
from vsodtool.media.images import encode_png, read_grey
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.ops.confidence import frame_confidence, to_bytes
from vsodtool.ops.network_image import to_frame_size
from vsodtool.types import FrameRecord, FrameStatus, LabelArray, Size

SALIENT = 128  # round(255 p) from p = 0.5 on


class SaliencyWriter:
    """Writes the outputs of one video; safe to use from several threads."""

    def __init__(self, config: PredictConfig, layout: OutputLayout, video: str, size: Size) -> None:
        self._config, self._layout, self._video, self._size = config, layout, video, size

    @torch.inference_mode()
    def write(self, name: str, probabilities: Tensor) -> FrameRecord:
        """Write what the network says of a frame, (1, 1, S, S) in [0, 1], in the frame's own size."""
        confidence = round(frame_confidence(probabilities, (2 * probabilities - 1).abs()), 4)
        soft = to_bytes(to_frame_size(probabilities, self._size))[0, 0].numpy()
        if self._config.masks:
            mask = np.where(soft >= SALIENT, np.uint8(255), np.uint8(0))
            write_bytes_atomically(self._layout.masks(self._video, name), encode_plane_png(mask))
        write_bytes_atomically(self._layout.soft(self._video, name), encode_png(soft))
        return FrameRecord(self._video, name, FrameStatus.GENERATED, "", "", confidence)


def output_files(config: PredictConfig, layout: OutputLayout, record: FrameRecord) -> Iterator[Path]:
    """The files that a finished frame must have."""
    if record.status is FrameStatus.SKIPPED:
        return
    yield layout.soft(record.video, record.frame)
    if config.masks:
        yield layout.masks(record.video, record.frame)


def salient_labels(layout: OutputLayout, video: str, frame: str) -> LabelArray | None:
    """1 where the map that lies in the output is salient, else 0; uint16 (H, W). None = there is no map."""
    path = layout.soft(video, frame)
    return (read_grey(path) >= SALIENT).astype(np.uint16) if path.exists() else None
