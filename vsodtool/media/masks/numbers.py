"""The frame number in the name of a mask of a video file: what its stem ends in, if there is no doubt.

`00012`, `frame_000012`, `IMG12` and, for `clip2.mp4` or `2024-05-01.mp4`, `clip2_12`, `clip2-12` and
`2024-05-01_12` are frame 12. Refused, since another number may be meant or the digits are none: `00012 (1)`
(a second download), `12_mask`, `x.rf.0a1b...f2` (a hash), `task-5-annotation-3-tag-0` (several numbers),
`frame_-12`, `00-00-01.240` (a time). Several numbers are no doubt where all masks have the same text before
the last: `cam 1 take 3 12`, `cam 1 take 3 24`. Roboflow calls an upload `00012_jpg.rf.<hash>`: frame 12; and
what it takes from a video itself `clip_mp4-12_jpg.rf.<hash>`: that number counts pictures, not frames.
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
_HASHED = re.compile(r"\.rf\.[0-9A-Za-z]{8,}(?:_mask)?$")
_ROBOFLOW = re.compile(rf"_(?:jpe?g|png|bmp|webp|tiff?){_HASHED.pattern}", re.IGNORECASE)
# Seconds with a fraction, or hours, minutes, seconds and perhaps more: the digits are no frame number.
_TIME = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9]+[.,](?:[0-9]{1,3}|[0-9]{6})"
    r"|[0-9]{1,2}[-_:.h][0-9]{2}[-_:.m][0-9]{2}(?:[-_:;.,s][0-9]+)?)$"
)
_SAMPLED = re.compile(r"_(?:mp4|mov|avi|mkv|webm|m4v)-[0-9]+$", re.IGNORECASE)


def frame_numbers(masks: Sequence[Path], video: str) -> list[int | str]:
    """For each mask of a video its frame number, or why there is none, as a phrase.

    Args:
        masks: all mask files of the video.
        video: its name.
    """
    return numbers_in_names([frame_name(mask) for mask in masks], video)


def uploaded_name(stem: str) -> str:
    """The stem of a picture that Roboflow called `<stem>_jpg.rf.<hash>`; others are as they are."""
    return _ROBOFLOW.sub("", stem)


def numbers_in_names(stems: Sequence[str], video: str) -> list[int | str]:
    """For each name the frame number in it, or why there is none, as a phrase.

    Args:
        stems: the names, without suffix, of all that belongs to the video.
        video: the name of the video.
    """
    same_text = len(stems) > 1 and len({_text_before(uploaded_name(stem)) for stem in stems}) == 1
    return [_frame_number(stem, video, several=same_text) for stem in stems]


def _frame_number(name: str, video: str, *, several: bool) -> int | str:
    stem = uploaded_name(name)
    if stem != name and _SAMPLED.search(stem):
        return "none there"
    own = stem.removeprefix(video)
    if not own or own[0].isalnum():  # the name of the video is a part of another word
        own = stem
    # In all of the stem: the hyphen of `clip-00012` joins the number to the video's name.
    if _NEGATIVE.search(stem):
        return "a negative number"
    if _TIME.search(own):
        return "a time"
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
