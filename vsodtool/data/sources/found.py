"""What a source holds, by names only: videos with their frames and masks, nothing opened yet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from vsodtool.config.void import AUTO
from vsodtool.data.sources.faults import Faults
from vsodtool.errors import DataError
from vsodtool.media.folders import frame_name, list_images
from vsodtool.media.masks.numbers import frame_numbers
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import VideoInput
from vsodtool.ops.shots.shots import ONE_SHOT, Shots

_DIGITS = re.compile(r"[0-9]+")
ORPHAN = "mask without a frame"


@dataclass(frozen=True)
class FoundVideo:
    """One video, or a set of still images, and the masks that belong to it.

    Attributes:
        video: its frames.
        names: of all frames, in order.
        masks: frame name -> mask, in the order of the frames.
        confidence: of the frames whose mask is a pseudo-label; the others are given.
        maps: confidence per pixel, where there are pictures of it.
        stills: whether the frames are unrelated images; None where names and sizes decide.
        shots: of the video, where they are known.
        void: the id of the masks that is no object, as `--void` says.
    """

    video: VideoInput
    names: Sequence[str]
    masks: Mapping[str, Path]
    confidence: Mapping[str, float] = field(default_factory=dict)
    maps: Mapping[str, Path] = field(default_factory=dict)
    stills: bool | None = False
    shots: Shots = ONE_SHOT
    void: str = AUTO


def frame_names(video: VideoInput) -> list[str]:
    """Names of all frames of a video in order.

    Raises:
        DataError: a video file cannot be opened.
    """
    return [frame_name(file) for file in video.files] if video.kind == "folder" else open_frames(video).names


def pair_masks(
    video: VideoInput, names: Sequence[str], masks: Sequence[Path], faults: Faults
) -> dict[str, Path]:
    """Frame name -> mask, in the order of the frames.

    For folders the stems agree, for a video file the number that the stem ends in counts frames from 0.

    Args:
        video: whose frames.
        names: of its frames.
        masks: the mask files.
        faults: told of masks without a frame and of frames with two masks.
    """
    known = set(names)
    matched: dict[str, Path] = {}
    numbers = frame_numbers(masks, video.name) if video.kind == "file" else []
    for place, mask in enumerate(masks):
        name = _numbered(numbers[place], names) if numbers else frame_name(mask)
        if name not in known:
            faults.add(ORPHAN, mask)
        elif name in matched:
            faults.add("second mask for a frame", mask)
        else:
            matched[name] = mask
    return {name: matched[name] for name in names if name in matched}


def folder_video(name: str, folder: Path, files: Sequence[Path] | None = None) -> VideoInput:
    """The pictures of a folder, or some of them, as a video.

    Raises:
        DataError: the folder cannot be read.
    """
    return VideoInput(name, folder, "folder", tuple(list_images(folder) if files is None else files))


def looks_like_video(names: Sequence[str]) -> bool:
    """Whether names are those of the frames of one video: numbers that rise by one step at a time."""
    numbers = [_DIGITS.findall(name) for name in names]
    if len(names) < 2 or not all(numbers):
        return False
    values = [int(found[-1]) for found in numbers]
    stems = {_DIGITS.sub("#", name) for name in names}
    steps = {after - before for before, after in pairwise(values)}
    return len(stems) == 1 and len(steps) == 1 and min(steps) > 0


def _numbered(number: int | str, names: Sequence[str]) -> str:
    return names[number] if isinstance(number, int) and number < len(names) else ""


def require_labels(found: Sequence[FoundVideo], text: str) -> None:
    """Refuse a source without a single label.

    Raises:
        DataError: there is none.
    """
    if not any(video.masks for video in found):
        raise DataError(f"{text}: expected frames with masks, found none", "check --data")
