"""The frame number in the name of a mask of a video file: what its stem ends in, if there is no doubt.

`00012`, `frame_000012`, `IMG12` and, for `clip2.mp4` or `2024-05-01.mp4`, `clip2_12`, `clip2-12` and
`2024-05-01_12` are frame 12. Refused, since another number may be meant or the digits are none: `00012 (1)`
(a second download), `12_mask`, `x.rf.0a1b...f2` (a hash), `task-5-annotation-3-tag-0` (several numbers),
`frame_-12`. Several numbers are no doubt where all masks have the same text before the last:
`cam 1 take 3 12`, `cam 1 take 3 24`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vsodtool.media.folders import frame_name

# A word of letters may stand before the number, but no word that has digits of its own.
_LAST = re.compile(r"(?:^|[^0-9A-Za-z])(?:[A-Za-z]*)([0-9]+)$")
_NEGATIVE = re.compile(r"(?:^|[_=(\[{,])[-\u2212][0-9]+$")
_ALONE = re.compile(r"(?<![0-9A-Za-z])[0-9]+(?![0-9A-Za-z])")
_HASHED = re.compile(r"\.rf\.[0-9A-Za-z]{8,}$")


def frame_numbers(masks: Sequence[Path], video: str) -> list[int | str]:
    """For each mask of a video its frame number, or why there is none, as a phrase.

    Args:
        masks: all mask files of the video.
        video: its name.
    """
    stems = [frame_name(mask) for mask in masks]
    same_text = len(stems) > 1 and len({_text_before(stem) for stem in stems}) == 1
    return [_frame_number(stem, video, several=same_text) for stem in stems]


def _frame_number(stem: str, video: str, *, several: bool) -> int | str:
    own = stem.removeprefix(video)
    if not own or own[0].isalnum():  # the name of the video is a part of another word
        own = stem
    # In all of the stem: the hyphen of `clip-00012` joins the number to the video's name.
    if _NEGATIVE.search(stem):
        return "a negative number"
    last = _LAST.search(own)
    if last is None or _HASHED.search(stem):
        return "none there" if any(map(str.isdigit, stem)) else "none"
    numbers = _ALONE.findall(own)
    if last[1] not in numbers[-1:]:  # `frame12`: not alone, but the last
        numbers.append(last[1])
    if len(numbers) > 1 and not several:
        return f"several numbers ({', '.join(numbers)})"
    return int(last[1])


def _text_before(stem: str) -> str:
    return stem.rstrip("0123456789")
