"""The dense labels of a video over its frames, as an mp4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from vsodtool.media.video.frames import FrameSource
from vsodtool.media.video.overlay import OverlayWriter
from vsodtool.types import LabelArray


def write_overlay(path: Path, source: FrameSource, labels_of: Callable[[str], LabelArray | None]) -> None:
    """Decode the video once more and draw labels that lie in the output.

    Args:
        path: of the mp4.
        source: the video.
        labels_of: object ids (H, W) of the frame of a name; frames without (None) stay as they are.

    Raises:
        DeviceError: the disk is full or not writable.
    """
    with OverlayWriter(path, source.size, source.fps) as writer:
        for frame in source:
            labels = labels_of(frame.name)
            writer.add(frame.rgb, np.zeros(source.size, np.uint16) if labels is None else labels)
