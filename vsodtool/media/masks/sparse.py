"""Masks of videos: matched to frames, validated before work starts, read one by one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from vsodtool.config.void import AUTO
from vsodtool.errors import DataError
from vsodtool.media.folders import MASK_SUFFIXES, holds_images
from vsodtool.media.masks.encoding import MaskEncoding, detect_encoding
from vsodtool.media.masks.matching import choose_every, find_mask_folders, match_frames
from vsodtool.media.masks.photographs import refuse_photographs
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise
from vsodtool.media.video.frames import FrameSource
from vsodtool.types import LabelArray, Size

__all__ = ["Inspected", "MaskEncoding", "MaskFolder", "MaskSet", "describe_mapping", "match_masks"]

# What files of masks were found to be; they change with their path, size, time of change or number.
Inspected: TypeAlias = dict[tuple[Path, int, int, int], tuple[Size, MaskSummary]]


@dataclass(frozen=True)
class MaskFolder:
    """One of the places where masks come from.

    Attributes:
        path: a folder of masks, see `find_mask_folders`.
        drawn: the masks in it were drawn from annotations, which tell their frames themselves.
        corrections: it has a sub-folder for each video that needs any, and all of them are used.
        offset: frames by which each mask belongs to a later one than its name says.
        only: of corrections, those that are meant, named like their frames; empty for all that lie there.
    """

    path: Path
    drawn: bool = False
    offset: int = 0
    corrections: bool = False
    only: frozenset[Path] = frozenset()

    def folders(self, videos: Sequence[str], *, alone: bool) -> tuple[dict[str, Path], list[str]]:
        """The folder of masks of each video that has one, and the names of those that belong to no video.

        Args:
            videos: names of the videos.
            alone: there is no other place, so all videos must have masks here.

        Raises:
            DataError: there are none, or none for a video.
        """
        if not self.corrections:
            return find_mask_folders(self.path, videos, some=not alone)
        own = {name: self.path / name for name in videos if (self.path / name).is_dir()}
        if self.only:
            meant = {path.parent for path in self.only}
            return {name: folder for name, folder in own.items() if folder in meant}, []
        return {name: folder for name, folder in own.items() if holds_images(folder, MASK_SUFFIXES)}, []

    def files(self, folder: Path, frames: FrameSource) -> dict[str, Path]:
        """Frame name -> mask file of a video, in the order of the frames.

        Raises:
            DataError: as `match_frames`.
        """
        if not self.only:
            return match_frames(folder, frames, self.offset)
        named = {path.stem: path for path in self.only if path.parent == folder}
        return {name: named[name] for name in frames.names if name in named}


@dataclass(frozen=True)
class Found:
    """The masks of one video that one place holds.

    Attributes:
        place: where they come from.
        folder: where they lie.
        files: frame name -> mask file, in the order of the frames.
    """

    place: MaskFolder
    folder: Path
    files: Mapping[str, Path]

    def in_use(self, files: Mapping[str, Path]) -> dict[str, Path]:
        """Those of its masks that are among the files in use."""
        return {name: file for name, file in self.files.items() if files.get(name) == file}


@dataclass(frozen=True)
class MaskSet:
    """The masks of one video that are in use. Reading is safe from several threads.

    Attributes:
        video: name of the video.
        found: all masks that there are, by the places that they come from; later ones win.
        files: frame name -> mask file, in the order of the frames.
        encoding: how they are stored, and how labels are written to be stored alike.
        object_ids: the ids that occur, sorted; (1,) for binary masks.
        size: (H, W).
        frame_count: number of frames of the video.
        ways: frame name -> digest of the way in which its mask is stored.
        ignored: folders of masks that belong to no video.
    """

    video: str
    found: Sequence[Found]
    files: Mapping[str, Path]
    encoding: MaskEncoding
    object_ids: tuple[int, ...]
    size: Size
    frame_count: int
    ways: Mapping[str, str] = field(default_factory=dict, repr=False)
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
    masks: Path | Sequence[MaskFolder],
    videos: Sequence[FrameSource],
    every: int = 0,
    void: str = AUTO,
    *,
    inspected: Inspected | None = None,
) -> dict[str, MaskSet]:
    """Match masks to the frames of videos and validate all that will be used.

    Args:
        masks: a folder, see `find_mask_folders`, or several, of which the later ones win, frame by frame.
        videos: the opened videos.
        every: use masks 0, N, 2N, ... and the last of each video only; the others are never opened. 0 = all.
        void: the id that is no object: a number, "none", or "auto", which is what the encoding says.
        inspected: remembers what was found out, for who asks several times.

    Returns:
        Video name -> its masks, in the order of the videos.

    Raises:
        DataError: no masks, a mask without a frame, of another size or unreadable, two masks for one frame,
            a video without masks, or masks of one video in encodings that do not go together.
    """
    places = [MaskFolder(masks)] if isinstance(masks, Path) else masks
    # Names first, for all videos: the cheap refusals come before anything is opened.
    found, ignored = _find(places, videos)
    sets: dict[str, MaskSet] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for frames in videos:
            of_video = found[frames.video.name]
            latest = {name: file for each in of_video for name, file in each.files.items()}
            names = [name for name in frames.names if name in latest]
            used = _used(of_video, names, every)
            files = {name: latest[name] for name in names if name in used}
            size = frames.size
            summaries = list(
                pool.map(lambda file, size=size: _inspect(file, size, inspected), files.values())
            )
            refuse_photographs(summaries)
            encoding, object_ids = detect_encoding(summaries, void, _leading(of_video, files, summaries))
            sets[frames.video.name] = MaskSet(
                frames.video.name,
                of_video,
                files,
                encoding,
                object_ids,
                size,
                frame_count=len(frames.names),
                ways={name: encoding.way_of(summary) for name, summary in zip(files, summaries, strict=True)},
                ignored=ignored,
            )
    return sets


def _used(found: Sequence[Found], names: Sequence[str], every: int) -> set[str]:
    """The labelled frames whose masks are used: every N-th, and all that were corrected."""
    given = {name for each in found if not each.place.corrections for name in each.files}
    plain = [name for name in names if name in given]
    corrected = {name for each in found if each.place.corrections for name in each.files}
    return corrected.union(plain[index] for index in choose_every(len(plain), every))


def _find(
    places: Sequence[MaskFolder], videos: Sequence[FrameSource]
) -> tuple[dict[str, list[Found]], tuple[str, ...]]:
    """The masks of each video, place by place, and the names of folders that belong to none."""
    found: dict[str, list[Found]] = {frames.video.name: [] for frames in videos}
    ignored: list[str] = []
    places_given = sum(not place.corrections for place in places)
    for place in places:
        folders, strange = place.folders(list(found), alone=places_given == 1)
        ignored += strange
        for frames in videos:
            name = frames.video.name
            if name in folders:
                found[name].append(Found(place, folders[name], place.files(folders[name], frames)))
    lacking = [name for name, of_video in found.items() if all(each.place.corrections for each in of_video)]
    if lacking:
        raise DataError(
            f"expected masks of {lacking[0]!r} in one of the {places_given} places given, found none",
            "name the folders of masks like the videos; --only-masked leaves videos without masks out",
        )
    return found, tuple(dict.fromkeys(ignored))


def _leading(
    found: Sequence[Found], used: Mapping[str, Path], summaries: Sequence[MaskSummary]
) -> list[MaskSummary]:
    """The masks that say how labels are written: those drawn from annotations, else those of the first place.

    Ids of annotations have names, which grey masks of a single object could not keep.
    """
    by_path = {summary.path: summary for summary in summaries if not summary.empty}
    for each in sorted(found, key=lambda each: not each.place.drawn):
        own = [by_path[file] for file in each.in_use(used).values() if file in by_path]
        if own:
            return own
    return []


def describe_mapping(sets: Mapping[str, MaskSet]) -> list[str]:
    """Lines that tell which masks are used for which video, to be shown before work starts."""
    lines = []
    for masks in sets.values():
        for each in masks.found:
            if each.place.drawn:
                continue
            in_use = each.in_use(masks.files)
            used = "" if len(in_use) == len(each.files) else f", {len(in_use)} of them used"
            lines.append(
                f"{masks.video}: {_count(len(each.files), 'mask')} for {_count(masks.frame_count, 'frame')}"
                f"{used}, {masks.encoding.title}, {_count(len(masks.object_ids), 'object')}, "
                f"from {each.folder}: {_pairs(in_use or each.files)}"
            )
    ignored = next(iter(sets.values())).ignored if sets else ()
    if ignored:
        more = f" and {len(ignored) - 3} more" if len(ignored) > 3 else ""
        lines.append(f"masks without an input video are ignored: {', '.join(ignored[:3])}{more}")
    return lines


def _pairs(files: Mapping[str, Path]) -> str:
    """The first and the last file with its frame: who counts frames otherwise sees it here."""
    pairs = [f"{file.name} is frame {name}" for name, file in files.items()]
    return pairs[0] if len(pairs) == 1 else f"{pairs[0]}, ..., {pairs[-1]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _inspect(file: Path, size: Size, inspected: Inspected | None) -> MaskSummary:
    status = file.stat() if inspected is not None and file.exists() else None
    key = None if status is None else (file, status.st_size, status.st_mtime_ns, status.st_ino)
    if inspected is not None and key in inspected:
        found, summary = inspected[key]
    else:
        raw = read_raw_mask(file)
        found, summary = raw.size, summarise(file, raw)
        if inspected is not None and key is not None:
            inspected[key] = found, summary
    if found != size:
        swapped = found == size[::-1]
        raise DataError(
            f"{file}: expected a mask of {size[1]}x{size[0]} like its frame, found {found[1]}x{found[0]}"
            + (" (width and height are swapped)" if swapped else ""),
            "it was drawn on frames whose rotation was ignored: turn it like the frame, or give those frames"
            if swapped
            else "resize it with nearest-neighbour, or give the frames that it was drawn on",
        )
    return summary
