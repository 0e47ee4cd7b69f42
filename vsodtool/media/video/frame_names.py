"""Whether pictures are the frames of a video by their names, and can be told apart by them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.case import check_case
from vsodtool.media.folders import frame_name
from vsodtool.media.video.inputs import VideoInput

_DIGITS = re.compile(r"[0-9]+")
_WORD = re.compile(r"[^\W0-9_]|\(")


def check_frame_names(videos: Sequence[VideoInput]) -> None:
    """Refuse folders whose pictures are no frames by their names: their order would mean nothing.

    Of two pictures or more at least half have a number, and at least two of these the same text around it:
    that lets single strays and sets of photographs pass, but no folder that happens to hold some pictures.
    Pictures beside others of the same name (`00000` and `00000_mask`) would be frames between these.

    Args:
        videos: the inputs.

    Raises:
        DataError: naming the folder and its first pictures.
    """
    for video in videos:
        names = [frame_name(file) for file in video.files]
        numbered = [name for name in names if any(char in "0123456789" for char in name)]
        alike = Counter(_DIGITS.sub("#", name.casefold()) for name in numbered)
        beside = _beside(names)
        if len(beside) > 1:
            raise DataError(
                f"{video.path}: expected frames alone, found pictures beside them: "
                + ", ".join(f"{own} beside {other}" for own, other in beside[:2])
                + (f" and {len(beside) - 2} more" if len(beside) > 2 else ""),
                "move them to a folder of their own: masks of frames, for example, to that of --masks",
            )
        if len(names) < 2 or (2 * len(numbered) >= len(names) and max(alike.values()) > 1):
            continue
        shown = ", ".join(file.name for file in video.files[:3]) + (", ..." if len(names) > 3 else "")
        raise DataError(
            f"{video.path}: expected frames with numbers in their names, as 00000.jpg, found {shown}",
            "give the video file, or the folder that holds the frames; number frames in their order",
        )


def _beside(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names that continue others behind their number, by more than a number, and these."""
    known = set(names)
    found = []
    for name in names:
        other = next(
            (name[: part.end()] for part in _DIGITS.finditer(name) if name[: part.end()] in known), name
        )
        if _WORD.search(name[len(other) :]):
            found.append((name, other))
    return found


def check_case_of(root: Path, videos: Sequence[VideoInput]) -> None:
    """Refuse videos, or frames of one, whose names would be one in a folder to write into.

    Raises:
        UsageError: naming two of them.
    """
    check_case(root, [video.name for video in videos], "the videos")
    for video in videos:
        check_case(root, map(frame_name, video.files), f"in {video.path} the frames")
