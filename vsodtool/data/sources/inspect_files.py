"""Opening every labelled frame and mask once before training: whole, of one size, and not all empty."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import FoundVideo, looks_like_video
from vsodtool.data.sources.labelled import LabelledFrame, LabelledVideo
from vsodtool.errors import DataError
from vsodtool.media.bit_depth import Levels
from vsodtool.media.folders import frame_name
from vsodtool.media.images import read_image_size, read_levels
from vsodtool.media.masks.encoding import detect_encoding
from vsodtool.media.masks.photographs import refuse_photographs
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.masks.statistics import MaskSummary, summarise
from vsodtool.media.video.folder_frames import FolderFrames
from vsodtool.media.video.unpacking import unpack_frames
from vsodtool.types import Size


def inspect_videos(
    found: Sequence[FoundVideo], text: str, cache: Path, faults: Faults
) -> list[LabelledVideo]:
    """The videos of a source with what their files hold; those without a label are left out.

    Args:
        found: the videos of the source.
        text: the source as given, for messages.
        cache: folder for the frames of video files.
        faults: told of every file that does not do.

    Raises:
        DataError: the masks of a video do not go together, or all masks of the source are empty.
        DeviceError: the frames of a video file cannot be written to `cache`.
    """
    videos: list[LabelledVideo] = []
    drawn = False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for video in found:
            if not video.masks:
                continue
            images = _images(video, cache)
            known = len(faults)
            sizes = _sizes(pool, images, faults)
            summaries = _summaries(pool, video.masks, sizes, faults)
            if len(faults) > known or len(summaries) < len(video.masks):  # nothing can be made of the rest
                continue
            drawn = drawn or not all(summary.empty for summary in summaries)
            videos.append(_labelled(video, images, sizes, summaries, faults))
    if not faults and not drawn:
        raise DataError(
            f"{text}: all {sum(len(video.frames) for video in videos)} masks are empty",
            "training needs at least one salient object; check that these are the right masks",
        )
    return videos


def _images(found: FoundVideo, cache: Path) -> dict[str, Path]:
    if found.video.kind == "file":
        return unpack_frames(found.video, list(found.masks), cache)
    return {frame_name(file): file for file in found.video.files if frame_name(file) in found.masks}


def _sizes(pool: ThreadPoolExecutor, images: Mapping[str, Path], faults: Faults) -> dict[str, Size]:
    sizes: dict[str, Size] = {}
    for name, size in zip(images, pool.map(_try_size, images.values()), strict=True):
        if isinstance(size, DataError):
            faults.add("unreadable image", size.message)
        else:
            sizes[name] = size
    return sizes


def _try_size(image: Path) -> Size | DataError:
    try:
        return read_image_size(image)
    except DataError as error:
        return error


def _summaries(
    pool: ThreadPoolExecutor, masks: Mapping[str, Path], sizes: Mapping[str, Size], faults: Faults
) -> list[MaskSummary]:
    # Absent ones are noted already; a link that leads nowhere is there and cannot be read.
    present = {name: path for name, path in masks.items() if os.path.lexists(path)}
    summaries = []
    for name, result in zip(present, pool.map(_try_summary, present.values()), strict=True):
        if isinstance(result, DataError):
            faults.add("unreadable mask", result.message)
            continue
        summary, size = result
        summaries.append(summary)
        if name in sizes and size != sizes[name]:
            height, width = sizes[name]
            faults.add(
                "mask of another size than its frame",
                f"{masks[name]} ({size[1]}x{size[0]}, expected {width}x{height})",
            )
    return summaries


def _try_summary(mask: Path) -> tuple[MaskSummary, Size] | DataError:
    try:
        raw = read_raw_mask(mask)
    except DataError as error:
        return error
    return summarise(mask, raw), raw.size


def _labelled(
    found: FoundVideo,
    images: Mapping[str, Path],
    sizes: Mapping[str, Size],
    summaries: Sequence[MaskSummary],
    faults: Faults,
) -> LabelledVideo:
    refuse_photographs(summaries)
    encoding, _ = detect_encoding(summaries, found.void)
    stills = found.stills
    if stills is None:
        stills = len(set(sizes.values())) > 1 or not looks_like_video(found.names)
    levels = _levels(found, images, stills=stills)
    position = {name: place for place, name in enumerate(found.names)}
    frames = tuple(
        LabelledFrame(
            name=name,
            position=position[name],
            image=images[name],
            mask=mask,
            size=sizes[name],
            given=name not in found.confidence,
            confidence=found.confidence.get(name, 1.0),
            confidence_map=found.maps.get(name),
            levels=levels[name],
        )
        for name, mask in found.masks.items()
    )
    first = frames[0]
    if not stills:
        faults.add(
            f"frame of another size than {first.image.name}",
            *(frame.image for frame in frames if frame.size != first.size),
        )
    return LabelledVideo(found.video.name, found.video.path, frames, encoding, stills, found.shots)


def _levels(found: FoundVideo, images: Mapping[str, Path], *, stills: bool) -> dict[str, Levels | None]:
    """What each picture is stretched by: stills by their own range, frames by that of their video."""
    levels = {name: read_levels(images[name]) for name in found.masks}
    if stills or not any(levels.values()):
        return levels
    of_video = FolderFrames(found.video).levels
    return {name: of_video if own else None for name, own in levels.items()}
