"""A split of a named dataset on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vsodtool.config.datasets import VIDEO
from vsodtool.data.sources.faults import Faults
from vsodtool.data.sources.found import FoundVideo, folder_video, pair_masks
from vsodtool.data.sources.source_text import DatasetSource
from vsodtool.errors import DataError
from vsodtool.media.folders import frame_name, list_images
from vsodtool.media.regular_file import read_regular
from vsodtool.media.video.inputs import VideoInput


def find_dataset_videos(source: DatasetSource, faults: Faults) -> list[FoundVideo]:
    """The videos of a split, or its one set of still images; everything that is missing is a fault.

    Raises:
        DataError: a folder or the list of a split cannot be read, or the split is empty.
    """
    if source.layout.stills:
        return [_find_stills(source, faults)]
    found = []
    for name in source.layout.splits[source.split]:
        frames, masks = (_files(source.root, pattern, name) for pattern in _patterns(source))
        if not frames:
            faults.add("video without frames", source.root / Path(_patterns(source)[0].replace(VIDEO, name)))
            continue
        video = folder_video(name, frames[0].parent, frames)
        found.append(_pair(source, video, masks, faults))
    return found


def _find_stills(source: DatasetSource, faults: Faults) -> FoundVideo:
    frames, masks = (_files(source.root, pattern) for pattern in _patterns(source))
    listed = source.layout.lists[source.split]
    if listed != "*":
        names = _read_list(source.root / listed)
        chosen = set(names)
        present = {frame_name(file) for file in frames}
        folder = source.root / Path(source.layout.frames).parent
        faults.add("image without a file", *(str(folder / name) for name in names if name not in present))
        frames = [file for file in frames if frame_name(file) in chosen]
        masks = [file for file in masks if frame_name(file) in chosen]
    if not frames and not faults:
        raise DataError(
            f"{source.text}: expected images in {source.root / source.layout.frames}, found none",
            "check the folder after the @",
        )
    name = f"{source.layout.name}-{source.split}"
    video = folder_video(name, source.root / Path(source.layout.frames).parent, frames)
    return _pair(source, video, masks, faults, stills=True)


def _pair(
    source: DatasetSource, video: VideoInput, masks: Sequence[Path], faults: Faults, *, stills: bool = False
) -> FoundVideo:
    names = [frame_name(file) for file in video.files]
    paired = pair_masks(video, names, masks, faults)
    if source.layout.mask_every == 1:
        faults.add("frame without a mask", *(file for file in video.files if frame_name(file) not in paired))
    elif not paired:
        faults.add("video without masks", video.path)
    return FoundVideo(video, names, paired, stills=stills)


def _patterns(source: DatasetSource) -> tuple[str, str]:
    return source.layout.frames, source.layout.masks


def _files(root: Path, pattern: str, video: str = "") -> list[Path]:
    """The pictures that a pattern of configs/datasets.yaml stands for; none where the folder is missing."""
    path = root / pattern.replace(VIDEO, video)
    if not path.parent.is_dir():
        return []
    return [file for file in list_images(path.parent) if file.match(path.name)]


def _read_list(path: Path) -> list[str]:
    """The names in a list of images: one per line, with or without an ending."""
    try:
        lines = read_regular(path).decode("utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: expected a list of names, one per line, found none that can be read: "
            f"{getattr(error, 'strerror', None) or error}",
            "write it, or take the split `all`",
        ) from error
    if not lines:
        raise DataError(f"{path}: expected the names of the split, found an empty file", "restore the file")
    return [frame_name(Path(line)) for line in lines]
