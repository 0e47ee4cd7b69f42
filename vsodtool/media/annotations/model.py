"""What annotation files say, whatever their format: every reader makes this, every writer takes it.

Masks stay as the file has them until a frame is asked for: 5,000 label images at 480p would be 4 GB.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, ParamSpec, TypeAlias, TypeVar

from vsodtool.errors import DataError
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.folders import same_name
from vsodtool.types import Size

ShapeKind: TypeAlias = Literal["mask", "polygon", "ellipse", "box"]
_NUMBER = re.compile("[0-9]{1,9}")
Draw: TypeAlias = Callable[[Size], MaskArray]
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape:
    """One drawn area of one frame.

    Attributes:
        category: name of its class.
        draw: makes its pixels, bool (H, W), for a frame of size (H, W).
            Raises DataError where what the file says cannot be drawn in such a frame.
        place: where it stands in the file, for messages: "annotation 12".
        kind: how the file stores it.
        track: what the file says about who it is, the same in all frames; None if it says nothing.
        part_of: joins shapes of one frame to one thing; None: each shape is a thing of its own.
        z: shapes with a larger z lie above others; equal ones in the order of the file.
        score: confidence in [0, 1], None if none is stored.
        attributes: whatever else is said of it.
    """

    category: str
    draw: Draw
    place: str
    kind: ShapeKind = "mask"
    track: str | None = None
    part_of: str | None = None
    z: int = 0
    score: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int | None:
        """The track as the number that formats of numbers have for it; None if it is no number."""
        return int(self.track) if self.track and _NUMBER.fullmatch(self.track) else None


@dataclass(frozen=True, slots=True)
class FrameKey:
    """What a file says about which frame it means; `mapping` finds the frame.

    Attributes:
        name: path or name of an image, "" if none is stated.
        number: number of the frame, counted from 0, None if none is stated.
        size: (H, W) that the file claims, None if it claims nothing.
        in_task: the number is the place in the tool's list of images, which may be some frames of the video.
    """

    name: str = ""
    number: int | None = None
    size: Size | None = None
    in_task: bool = False

    @property
    def stem(self) -> str:
        """The name without folders and suffix."""
        return same_name(PurePosixPath(self.name.replace("\\", "/")).stem)

    @property
    def known_size(self) -> Size:
        """(H, W); writers need it.

        Raises:
            ValueError: it is not known: a bug of the caller.
        """
        if self.size is None:
            raise ValueError(f"{self}: a writer needs the size of every frame")
        return self.size

    def number_or(self, place: int) -> int:
        """The number of the frame; of one without a number, its place among the frames that are written."""
        return place if self.number is None else self.number

    def __str__(self) -> str:
        """As messages name it."""
        return self.name or f"frame {self.number}"


@dataclass(frozen=True, slots=True)
class FrameLabels:
    """What a file says about one frame.

    Attributes:
        key: which frame.
        shapes: what is drawn, in the order of the file.
        empty: the file states "looked at, nothing here"; a frame without shapes that does not is unknown.
        listed: the frame is a member of the set that was annotated (for `--empty given`).
    """

    key: FrameKey
    shapes: tuple[Shape, ...] = ()
    empty: bool = False
    listed: bool = True


@dataclass(frozen=True)
class VideoLabels:
    """The frames of one video.

    Attributes:
        name: its name in the file, "" if the file names none.
        frames: in the order of the file.
        length: number of frames that the file claims for the video, None if it claims none.
        is_file: its frames lie in one video file; CVAT gives them names of its own.
        file: the file that the tool showed, where it states it beside a name of its own.
    """

    name: str
    frames: tuple[FrameLabels, ...]
    length: int | None = None
    is_file: bool = False
    file: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """A class of things.

    Attributes:
        name: its name.
        color: "#rrggbb", "" if the file has none.
        source_id: its id in the file, "" if it has none.
    """

    name: str
    color: str = ""
    source_id: str = ""


@dataclass(frozen=True)
class Annotations:
    """An annotation file.

    Attributes:
        source: the file or folder, as messages name it.
        format: name of its format.
        videos: what it says about each video.
        categories: the classes it declares, in its order.
        left_out: what was seen and not taken, by kind: {"points": 3}.
    """

    source: str
    format: str
    videos: tuple[VideoLabels, ...]
    categories: tuple[Category, ...] = ()
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How annotation files are to be read.

    Attributes:
        boxes: take boxes for masks (else their presence is counted, and no mask is made of them).
        predictions: take what a model predicted (Label Studio) where no annotation is.
        interpolated: take interpolated shapes of frames that have a key frame of another object (CVAT).
        skip_bad: leave shapes out that cannot be read, and count them.
        empty_tags: names of tags that say "nothing here" (CVAT).
    """

    boxes: bool = False
    predictions: bool = False
    interpolated: bool = True
    skip_bad: bool = False
    empty_tags: tuple[str, ...] = ("empty", "no_object", "no_objects", "background", "annotated")

    def attempt(
        self, left_out: Counter[str], make: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """What is made of a shape; None for one that cannot be read, if such ones are left out.

        Args:
            left_out: counts it then.
            make: reads or draws the shape.
            args: what `make` is given.
            kwargs: likewise.

        Raises:
            DataError: the shape cannot be read, and `skip_bad` is not set.
        """
        try:
            return make(*args, **kwargs)
        except DataError:
            if not self.skip_bad:
                raise
            left_out["unreadable"] += 1
            return None
