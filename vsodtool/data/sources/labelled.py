"""The nouns of training data: labelled frames, and the videos or image sets that they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from vsodtool.media.bit_depth import Levels
from vsodtool.media.masks.sparse import MaskEncoding
from vsodtool.ops.shots.shots import ONE_SHOT, Shots
from vsodtool.types import Size


@dataclass(frozen=True)
class LabelledFrame:
    """A frame with its label, both still on the disk.

    Attributes:
        name: identity of the frame within its video.
        position: place of the frame among all frames of its video, labelled or not, from 0.
        image: the picture.
        mask: the label.
        size: (H, W) of both.
        given: whether a person drew the label; False for pseudo-labels.
        confidence: of a pseudo-label as a whole, in [0, 1]; 1 for given ones.
        confidence_map: 8-bit picture of the confidence per pixel, None if there is none.
        levels: what the pixels of a picture deeper than 8 bit are stretched by, None if it is not.
    """

    name: str
    position: int
    image: Path
    mask: Path
    size: Size
    given: bool = True
    confidence: float = 1.0
    confidence_map: Path | None = None
    levels: Levels | None = None


@dataclass(frozen=True)
class LabelledVideo:
    """The labelled frames of one video, or a set of still images that have nothing to do with each other.

    Attributes:
        name: identity of the video.
        place: where its pictures come from (a folder, or the video file); two videos of one place are the
            same video, whatever labels they have.
        frames: in temporal order; those without a label are not among them.
        encoding: what the pixel values of its masks mean.
        stills: whether the frames are unrelated images.
        shots: of the video, by the positions of its frames.
    """

    name: str
    place: Path
    frames: tuple[LabelledFrame, ...]
    encoding: MaskEncoding
    stills: bool = False
    shots: Shots = ONE_SHOT

    @property
    def given(self) -> tuple[LabelledFrame, ...]:
        """The frames that a person labelled."""
        return tuple(frame for frame in self.frames if frame.given)

    def by_shot(self) -> list[LabelledVideo]:
        """Each shot that has labelled frames as a video; nothing goes from one to another."""
        groups = groupby(self.frames, lambda frame: self.shots.of(frame.position))
        return [replace(self, frames=tuple(frames)) for _, frames in groups] if self.shots.cuts else [self]
