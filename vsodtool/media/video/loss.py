"""What was lost while reading frames, so that it can be reported."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """A frame, or everything from a frame on, that could not be read.

    Attributes:
        frame_name: name of the frame; for a video that ends early, of the first one missing (not among the
            names of the source where the container does not tell how many there were).
        reason: what happened, one line.
    """

    frame_name: str
    reason: str
