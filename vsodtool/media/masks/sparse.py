"""Masks of videos: matched to frames, validated before work starts, read one by one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.matching import choose_every, find_mask_folders, match_frames
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise
from vsodtool.media.video.frames import FrameSource
from vsodtool.types import LabelArray, Size

__all__ = ["MaskEncoding", "MaskSet", "describe_mapping", "match_masks"]


@dataclass(frozen=True)
class MaskSet:
    """The masks of one video that are in use. Reading is safe from several threads.

    Attributes:
        video: name of the video.
        folder: where the masks lie.
        files: frame name -> mask file, in the order of the frames.
        encoding: how they are stored, and how labels are written to be stored alike.
        object_ids: the ids that occur, sorted; (1,) for binary masks.
        size: (H, W).
        found: number of masks in the folder, those out of use included.
        frame_count: number of frames of the video.
        ignored: folders of masks beside this one that belong to no video.
    """

    video: str
    folder: Path
    files: Mapping[str, Path]
    encoding: MaskEncoding
    object_ids: tuple[int, ...]
    size: Size
    found: int
    frame_count: int
    ignored: tuple[str, ...] = field(default=(), repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the labelled frames, in the order of the frames."""
        return list(self.files)

    def read(self, frame_name: str) -> LabelArray:
        """Object ids of the mask of a frame, uint16 (H, W), 0 = nothing salient.

        Raises:
            KeyError: the frame has no mask in use.
            DataError: the file cannot be read any more.
        """
        return self.encoding.labels(read_raw_mask(self.files[frame_name]))

    def read_written(self, path: Path) -> LabelArray:
        """Object ids of a mask that was written in this set's encoding, uint16 (H, W).

        Raises:
            DataError: the file cannot be read.
        """
        return self.encoding.read_written(read_raw_mask(path))

    def given_png(self, frame_name: str) -> bytes:
        """A PNG with exactly the pixel values of the mask given (RGB(A): 0 and 255), in the set's encoding.

        Raises:
            KeyError: the frame has no mask in use.
            DataError: the file cannot be read any more.
        """
        return self.encoding.encode_given(read_raw_mask(self.files[frame_name]))


def match_masks(
    masks: Path, videos: Sequence[FrameSource], every: int = 0, void: str = AUTO
) -> dict[str, MaskSet]:
    """Match masks to the frames of videos and validate all that will be used.

    Args:
        masks: see `find_mask_folders`.
        videos: the opened videos.
        every: use masks 0, N, 2N, ... and the last of each video only; the others are never opened. 0 = all.
        void: the id that is no object: a number, "none", or "auto", which is what the encoding says.

    Returns:
        Video name -> its masks, in the order of the videos.

    Raises:
        DataError: no masks, a mask without a frame, of another size or unreadable, two masks for one frame,
            a video without masks, or masks of one video in encodings that do not go together.
    """
    folders, ignored = find_mask_folders(masks, [frames.video.name for frames in videos])
    # Names first, for all videos: the cheap refusals come before anything is opened.
    matched = {frames.video.name: match_frames(folders[frames.video.name], frames) for frames in videos}
    sets: dict[str, MaskSet] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for frames in videos:
            name = frames.video.name
            all_names = list(matched[name])
            chosen = [all_names[index] for index in choose_every(len(all_names), every)]
            files = {frame_name: matched[name][frame_name] for frame_name in chosen}
            size = frames.size
            summaries = list(pool.map(lambda file, size=size: _inspect(file, size), files.values()))
            encoding, object_ids = detect_encoding(summaries, void)
            sets[name] = MaskSet(
                name,
                folders[name],
                files,
                encoding,
                object_ids,
                size,
                found=len(all_names),
                frame_count=len(frames.names),
                ignored=tuple(ignored),
            )
    return sets


def describe_mapping(sets: Mapping[str, MaskSet]) -> list[str]:
    """Lines that tell which masks are used for which video, to be shown before work starts."""
    lines = []
    for masks in sets.values():
        used = "" if len(masks.files) == masks.found else f", {len(masks.files)} of them used"
        objects = len(masks.object_ids)
        lines.append(
            f"{masks.video}: {_count(masks.found, 'mask')} for {_count(masks.frame_count, 'frame')}{used}, "
            f"{masks.encoding.title}, {_count(objects, 'object')}, "
            f"from {masks.folder}: {_pairs(masks)}"
        )
    ignored = next(iter(sets.values())).ignored if sets else ()
    if ignored:
        more = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
        lines.append(f"masks without an input video are ignored: {', '.join(ignored[:3])}{more}")
    return lines


def _pairs(masks: MaskSet) -> str:
    """The first and the last file with its frame: who counts frames otherwise sees it here."""
    pairs = [f"{file.name} is frame {name}" for name, file in masks.files.items()]
    return pairs[0] if len(pairs) == 1 else f"{pairs[0]}, ..., {pairs[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _inspect(file: Path, size: Size) -> MaskSummary:
    raw = read_raw_mask(file)
    if raw.size != size:
        raise DataError(
            f"{file}: expected a mask of {size[1]}x{size[0]} like its frame, "
            f"found {raw.size[1]}x{raw.size[0]}",
            "resize it with nearest-neighbour, or give the frames that it was drawn on",
        )
    return summarise(file, raw)
