"""Pictures and masks side by side: DAVIS-style roots, pairs of folders, a video file and its masks."""

from __future__ import annotations

from pathlib import Path

from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import ORPHAN, FoundVideo, frame_names, pair_masks
from vsodtool.data.sources.source_text import PairSource
from vsodtool.errors import DataError
from vsodtool.media.folders import descend_davis, image_folders, list_images
from vsodtool.media.video.inputs import VideoInput, discover_videos
from vsodtool.types import OnEvent, ignore_event


def find_pairs(source: PairSource, faults: Faults, on_event: OnEvent = ignore_event) -> list[FoundVideo]:
    """The videos, or the one set of images, of a source; videos without any mask are left out.

    Args:
        source: pictures and masks.
        faults: told of masks without a picture.
        on_event: hears of videos that are passed over.

    Raises:
        DataError: a folder cannot be read, or there are no frames or no masks at all.
    """
    videos = discover_videos([str(source.images)], on_event=on_event)
    if not source.masks.is_dir():
        raise DataError(f"{source.masks}: expected a folder of masks, found none there", "check --data")
    base = descend_davis(source.masks, "Annotations")
    folders = image_folders(base)
    flat = _flat_masks(base, folders, videos)
    found = []
    for video in videos:
        masks = flat if flat else list_images(folders[video.name]) if video.name in folders else []
        if not masks:
            continue
        names = frame_names(video)
        paired = pair_masks(video, names, masks, faults)
        found.append(FoundVideo(video, names, paired, stills=_stills(source, video, flat=bool(flat))))
    if not flat:
        present = {video.name for video in videos}
        for name, folder in folders.items():
            if name not in present:
                faults.add(ORPHAN, *list_images(folder))
    return found


def _flat_masks(base: Path, folders: dict[str, Path], videos: list[VideoInput]) -> list[Path]:
    if len(videos) != 1 or videos[0].name in folders:
        return []
    return list_images(base)


def _stills(source: PairSource, video: VideoInput, *, flat: bool) -> bool | None:
    if source.reading:
        return source.reading == "stills"
    return None if flat and video.kind == "folder" else False
