"""Turning decoded frames upright: the display matrix that cameras write instead of turning the pixels."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from vsodtool.types import ImageArray


@dataclass(frozen=True)
class Turn:
    """What to do to a stored frame, in this order.

    Attributes:
        transpose: exchange rows and columns.
        mirror: reverse left and right.
        flip: reverse up and down.
    """

    transpose: bool = False
    mirror: bool = False
    flip: bool = False

    def apply(self, rgb: ImageArray) -> ImageArray:
        """The frame upright: the same array where there is nothing to do, else a contiguous copy."""
        turned = rgb.transpose(1, 0, 2) if self.transpose else rgb
        if self.mirror:
            turned = turned[:, ::-1]
        if self.flip:
            turned = turned[::-1]
        return np.ascontiguousarray(turned)


def read_turn(decoded: VideoFrame) -> Turn:
    """The display matrix of a frame: quarter turns and mirrorings, other angles to the nearest.

    To be asked of one frame per video: PyAV ties a frame whose side data were looked at into a reference
    cycle, which keeps its pixels in memory until the garbage collector comes by.
    """
    matrix = decoded.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return Turn()
    # Nine integers, row vectors: stored (x, y) is shown at (a x + c y, b x + d y), y downwards.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix)[:36])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Turn(transpose=False, mirror=a < 0, flip=d < 0)
    return Turn(transpose=True, mirror=c < 0, flip=b < 0)
