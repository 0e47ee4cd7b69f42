"""Lists of cuts: one line for each shot but the first of a video, or the table that PySceneDetect writes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsodtool.checks import whole_number
from vsodtool.errors import DataError
from vsodtool.media.folders import same_name
from vsodtool.media.regular_file import read_regular

_SCENES = "Start Frame"  # a column of PySceneDetect's table, counted from 1


def read_cuts(path: Path, names: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Read where shots begin.

    A line names the video and the first frame of a shot, `VIDEO FRAME`, or the frame alone where there is one
    video: by its name, or by its number where names are numbers. Empty lines and those that begin with `#`
    are passed over. The table of PySceneDetect (`list-scenes`) is understood for a single video.

    Args:
        path: the file, UTF-8.
        names: of all frames of each video, in order.

    Returns:
        For every video the indices of these frames, ascending, without 0.

    Raises:
        DataError: it cannot be read, or a line names what does not exist; with the number of the line.
    """
    try:
        lines = read_regular(path).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else "it is no UTF-8 text"
        raise DataError(f"cannot read the cuts in {path}: {reason}", "check --cuts") from error
    found: dict[str, set[int]] = {video: set() for video in names}
    table = next((number for number, line in enumerate(lines[:2]) if _SCENES in line.split(",")), None)
    if table is not None:
        video = _only(path, table + 1, names)
        found[video] = set(_scenes(path, lines, table, len(names[video])))
    else:
        for number, line in enumerate(lines, 1):
            text = same_name(line.strip())
            if text and not text.startswith("#"):
                video, index = _place(path, number, text, names)
                found[video].add(index)
    return {video: tuple(sorted(starts - {0})) for video, starts in found.items()}


def _place(path: Path, number: int, text: str, names: Mapping[str, Sequence[str]]) -> tuple[str, int]:
    video, _, frame = text.rpartition("\t") if "\t" in text else text.rpartition(" ")
    if video.strip() not in names:
        if video and (len(names) > 1 or _index(text, next(iter(names.values()))) is None):
            raise DataError(
                f"{path}, line {number}: expected VIDEO FRAME, found '{text}', and no video "
                f"'{video.strip()}' among the inputs",
                f"the videos are: {', '.join(list(names)[:5])}",
            )
        video, frame = _only(path, number, names), text
    index = _index(frame, names[video.strip()])
    if index is None:
        own = names[video.strip()]
        raise DataError(
            f"{path}, line {number}: expected a frame of '{video.strip()}', found '{frame}'",
            f"its frames are {own[0]} to {own[-1]}",
        )
    return video.strip(), index


def _only(path: Path, number: int, names: Mapping[str, Sequence[str]]) -> str:
    if len(names) > 1:
        raise DataError(
            f"{path}, line {number}: expected VIDEO FRAME, as there are {len(names)} videos, found no video",
            f"the videos are: {', '.join(list(names)[:5])}",
        )
    return next(iter(names))


def _index(frame: str, names: Sequence[str]) -> int | None:
    """The place of a frame that is called so, or whose name is the same number."""
    if frame in names:
        return names.index(frame)
    number = whole_number(frame)
    same = [] if number is None else [at for at, name in enumerate(names) if whole_number(name) == number]
    return same[0] if len(same) == 1 else None


def _scenes(path: Path, lines: Sequence[str], header: int, count: int) -> list[int]:
    """The first frames of the scenes in PySceneDetect's table, counted from 0."""
    starts = []
    for number, row in enumerate(csv.DictReader(lines[header:]), header + 2):
        text = (row.get(_SCENES) or "").strip()
        start = whole_number(text)
        if start is None or not 1 <= start <= count:
            raise DataError(
                f"{path}, line {number}: expected a {_SCENES} from 1 to {count}, found '{text}'",
                "the table belongs to another video?",
            )
        starts.append(start - 1)
    return starts
