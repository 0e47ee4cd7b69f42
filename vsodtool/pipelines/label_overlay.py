"""The dense labels of a video over its frames, as an mp4."""

from __future__ import annotations

import numpy as np

from vsodtool.media.frames import FrameSource
from vsodtool.media.layout import OutputLayout
from vsodtool.media.masks import MaskSet
from vsodtool.media.overlay import OverlayWriter


def write_overlay(layout: OutputLayout, source: FrameSource, masks: MaskSet) -> None:
    """Decode the video once more and draw the masks that lie in the output.

    Frames without a mask stay as they are.

    Raises:
        DeviceError: the disk is full or not writable.
    """
    name = source.video.name
    with OverlayWriter(layout.overlay(name), source.size, source.fps) as writer:
        for frame in source:
            path = layout.masks(name, frame.name)
            labels = masks.read_written(path) if path.exists() else np.zeros(source.size, np.uint16)
            writer.add(frame.rgb, labels)
