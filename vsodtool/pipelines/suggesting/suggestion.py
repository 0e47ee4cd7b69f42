"""A frame that should be labelled, in the words of people."""

from __future__ import annotations

from dataclasses import dataclass

from vsodtool.media.video.frames import FrameSource


@dataclass(frozen=True)
class Suggestion:
    """A frame to label.

    Attributes:
        video: name of the video.
        frame: name of the frame.
        index: of the frame, from 0.
        time: seconds since the first frame; None if that is not known.
        left: name of the labelled frame before it, "" if there is none.
        right: name of the labelled frame after it, "" if there is none.
        confidence: of its mask as it is, in [0, 1]; None where it has none.
        gain: the error that its label is expected to take away, in frames that are all wrong; None where
            nothing is known of that.
        reason: why this one, for people; may be empty.
        object: the object that is expected to be worst there; "" for the only one, or if that is not known.
    """

    video: str
    frame: str
    index: int
    time: float | None
    left: str = ""
    right: str = ""
    confidence: float | None = None
    gain: float | None = None
    reason: str = ""
    object: str = ""


def time_of(source: FrameSource, index: int) -> float:
    """Seconds since the first frame, by the file's own times where it states them."""
    seconds = float(source.times[index]) if index < len(source.times) else index / source.fps
    return round(seconds, 3)
