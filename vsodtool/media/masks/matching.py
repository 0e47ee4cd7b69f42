"""Which mask file belongs to which frame: by names only, nothing is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.errors import DataError
from vsodtool.media.folders import MASK_SUFFIXES, descend_davis, frame_name, image_folders, list_images
from vsodtool.media.masks.numbers import frame_numbers

if TYPE_CHECKING:
    from vsodtool.media.video.frames import FrameSource


def find_mask_folders(
    masks: Path, videos: Sequence[str], *, some: bool = False
) -> tuple[dict[str, Path], list[str]]:
    """The folder of masks of every video, and the names of the folders that belong to none of them.

    Args:
        masks: a folder with one sub-folder per video, a DAVIS-style root or its `Annotations`, or, for one
            video, a folder of masks or a single mask file.
        videos: names of the videos.
        some: masks of some of the videos will do, as others may have theirs elsewhere.

    Raises:
        DataError: there are no masks at all, or none for one of the videos (the first three are named).
    """
    if not masks.is_dir():
        if masks.suffix.lower() in MASK_SUFFIXES and masks.is_file() and len(videos) == 1:
            return {videos[0]: masks}, []
        found = "a file" if masks.exists() else "nothing"
        raise DataError(
            f"{masks}: expected a folder of masks, found {found} there", "check the path given with --masks"
        )
    base = descend_davis(masks, "Annotations", MASK_SUFFIXES)
    folders = image_folders(base, MASK_SUFFIXES)
    plain = list_images(base, MASK_SUFFIXES) if not any(name in folders for name in videos) else []
    if plain and len(videos) == 1:
        return {videos[0]: base}, []
    if not plain and not folders:
        raise DataError(
            f"{masks}: expected masks (PNG or another image format), found none",
            "check the path given with --masks",
        )
    lacking = [name for name in videos if name not in folders]
    if lacking and (not some or len(lacking) == len(videos)):
        names = _listing(list(folders))
        found = f"folders {names}" if folders else f"{len(plain)} masks without folders"
        if folders and len(lacking) == len(videos):
            found += ": no video in common"
        other = ""
        if len(lacking) < len(videos):
            other = "; --only-masked leaves videos without masks out"
        elif folders:
            other = f", or give the one to use: --masks {base / next(iter(folders))}"
        raise DataError(
            f"{base}: expected a folder of masks for {_listing(lacking)}, found {found}",
            f"name the folders of masks like the videos{other}",
        )
    strange = [name for name in folders if name not in videos]
    return {name: folders[name] for name in videos if name in folders}, strange


def match_frames(folder: Path, frames: FrameSource) -> dict[str, Path]:
    """Frame name -> mask file, in the order of the frames.

    For a folder of frames the stems agree; for a video file the number that the stem ends in counts frames
    from 0 (`numbers.py` has the rules).

    Args:
        folder: of masks, or a single mask file.
        frames: the video.

    Raises:
        DataError: a mask belongs to no frame, or two belong to one, or there are no masks.
    """
    if frames.video.kind == "folder" and folder.samefile(frames.video.path):
        raise DataError(
            f"{folder}: expected masks, found the frames themselves", "give the folder of masks with --masks"
        )
    files = list_images(folder, MASK_SUFFIXES) if folder.is_dir() else [folder]
    if not files:
        raise DataError(f"{folder}: expected masks, found none", "check the path given with --masks")
    position = {name: index for index, name in enumerate(frames.names)}
    names = map(frame_name, files) if frames.video.kind == "folder" else _numbered_frames(files, frames)
    matched: dict[str, Path] = {}
    for file, name in zip(files, names, strict=True):
        if name not in position:
            raise _orphan(file, frames)
        other = matched.setdefault(name, file)
        if other is not file:
            raise DataError(
                f"{folder}: expected one mask per frame, found {other.name} and {file.name} for frame {name}",
                "remove or rename one of the two",
            )
    return {name: matched[name] for name in sorted(matched, key=position.__getitem__)}


def choose_every(count: int, every: int) -> list[int]:
    """Positions 0, N, 2N, ... and the last of `count`; all of them if `every` is 0 or 1."""
    if every <= 1:
        return list(range(count))
    chosen = list(range(0, count, every))
    return chosen if not chosen or chosen[-1] == count - 1 else [*chosen, count - 1]


def _numbered_frames(files: Sequence[Path], frames: FrameSource) -> list[str]:
    last = len(frames.names) - 1
    names = []
    for file, number in zip(files, frame_numbers(files, frames.video.name), strict=True):
        if isinstance(number, str):
            raise DataError(
                f"{file}: expected a frame number at the end of the name (0 to {last}), found {number}",
                "name masks of a video file after the frame they belong to, for example 00012.png",
            )
        if number > last:
            raise DataError(
                f"{file}: mask without a frame: expected a number from 0 to {last} "
                f"({frames.video.path.name}), found {file.stem}",
                "frames are counted from 0; rename or remove the mask",
            )
        names.append(frames.names[number])
    return names


def _orphan(file: Path, frames: FrameSource) -> DataError:
    names = frames.names
    return DataError(
        f"{file}: mask without a frame: expected the stem of a frame of {frames.video.path} "
        f"({names[0]} to {names[-1]}), found {file.stem}",
        "rename or remove the mask, or add its frame",
    )


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
