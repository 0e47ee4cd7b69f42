"""Turning decoded frames upright: the display matrix that cameras write instead of turning the pixels."""

from __future__ import annotations

import struct

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from vsodtool.types import ImageArray


def orient(rgb: ImageArray, decoded: VideoFrame) -> ImageArray:
    """Apply the display matrix of a frame: quarter turns and mirrorings, other angles to the nearest.

    Args:
        rgb: the pixels as stored, uint8 (H, W, 3).
        decoded: the frame that they come from.

    Returns:
        The same array where there is nothing to do, else a turned contiguous copy.
    """
    matrix = decoded.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return rgb
    # Nine integers, row vectors: stored (x, y) is shown at (a x + c y, b x + d y), y downwards.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        right, down, turned = a, d, rgb
    else:
        right, down, turned = c, b, rgb.transpose(1, 0, 2)
    if right < 0:
        turned = turned[:, ::-1]
    if down < 0:
        turned = turned[::-1]
    return np.ascontiguousarray(turned)
