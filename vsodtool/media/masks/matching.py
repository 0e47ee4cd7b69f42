"""Which mask file belongs to which frame: by names only, nothing is opened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsodtool.errors import DataError
from vsodtool.media.folders import (
    MASK_SUFFIXES,
    descend_davis,
    frame_name,
    holds_images,
    image_folders,
    list_images,
)
from vsodtool.media.masks.numbers import frame_numbers

if TYPE_CHECKING:
    from vsodtool.media.video.frames import FrameSource


def find_mask_folders(
    masks: Path, videos: Sequence[str], *, some: bool = False
) -> tuple[dict[str, Path], list[str]]:
    """The folder of masks of every video, and what holds masks too that belong to none of them.

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
        return {videos[0]: base}, list(folders)
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
    if holds_images(base, MASK_SUFFIXES):
        strange.append(f"those directly in {base}")
    return {name: folders[name] for name in videos if name in folders}, strange


def match_frames(folder: Path, frames: FrameSource, offset: int = 0) -> dict[str, Path]:
    """Frame name -> mask file, in the order of the frames.

    For a folder of frames the stems agree; for a video file the number that the stem ends in counts frames
    from 0 (`numbers.py` has the rules). With an offset, masks belong to frames that many places later; a stem
    that is no frame's may then be one when its number is raised by the offset.

    Args:
        folder: of masks, or a single mask file.
        frames: the video.
        offset: frames by which masks belong later than their names say.

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
    of_folder = frames.video.kind == "folder"
    places = _named_frames(files, frames, offset) if of_folder else _numbered_frames(files, frames, offset)
    matched: dict[int, Path] = {}
    for file, place in zip(files, places, strict=True):
        other = matched.setdefault(place, file)
        if other is not file:
            raise DataError(
                f"{folder}: expected one mask per frame, found {other.name} and {file.name} "
                f"for frame {frames.names[place]}",
                "remove or rename one of the two",
            )
    return {frames.names[place]: matched[place] for place in sorted(matched)}


def choose_every(count: int, every: int) -> list[int]:
    """Positions 0, N, 2N, ... and the last of `count`; all of them if `every` is 0 or 1."""
    if every <= 1:
        return list(range(count))
    chosen = list(range(0, count, every))
    return chosen if not chosen or chosen[-1] == count - 1 else [*chosen, count - 1]


def _named_frames(files: Sequence[Path], frames: FrameSource, offset: int) -> list[int]:
    """The frame of each mask, by stems."""
    position = {name: index for index, name in enumerate(frames.names)}
    count = len(position)

    def place(stem: str, by: int) -> int | None:
        if stem in position:
            return position[stem] + by if 0 <= position[stem] + by < count else None
        return position.get(_raised(stem, by))

    stems = [frame_name(file) for file in files]
    places = []
    for file, stem in zip(files, stems, strict=True):
        found = place(stem, offset)
        if found is None:
            others = [by for by in (-1, 1) if all(place(each, offset + by) is not None for each in stems)]
            raise _orphan(file, frames, offset, _counted(offset, others) or _around(stems, position))
        places.append(found)
    return places


def _numbered_frames(files: Sequence[Path], frames: FrameSource, offset: int) -> list[int]:
    """The frame of each mask of a video file, by numbers."""
    last = len(frames.names) - 1
    numbers = []
    for file, number in zip(files, frame_numbers(files, frames.video.name), strict=True):
        if isinstance(number, str):
            raise DataError(
                f"{file}: expected a frame number at the end of the name (0 to {last}), found {number}",
                "name masks of a video file after the frame they belong to, for example 00012.png",
            )
        numbers.append(number + offset)
    for file, number in zip(files, numbers, strict=True):
        if not 0 <= number <= last:
            others = [by for by in (-1, 1) if all(0 <= each + by <= last for each in numbers)]
            raise DataError(
                f"{file}: mask without a frame: expected a number from {max(0, -offset)} to {last - offset} "
                f"({frames.video.path.name}{_with(offset)}), found {file.stem}",
                f"frames are counted from 0; {_counted(offset, others) or 'rename or remove the mask'}",
            )
    return numbers


def _raised(stem: str, by: int) -> str:
    """A stem with the number that it ends in raised, in as many digits."""
    text = stem.rstrip("0123456789")
    digits = stem[len(text) :]
    number = int(digits or 0) + by
    return f"{text}{number:0{len(digits)}d}" if digits and number >= 0 else ""


def _around(stems: Sequence[str], frames: Collection[str]) -> str:
    """What to say of masks that have one text before or behind the names of frames; "" if they have not."""
    first = stems[0]
    for frame in frames:
        before, found, behind = first.rpartition(frame)
        names = [stem[len(before) : len(stem) - len(behind)] for stem in stems]
        if found and all(
            stem == before + name + behind and name in frames for stem, name in zip(stems, names, strict=True)
        ):
            texts = (("begin with", before), ("end in", behind))
            told = " and ".join(f"{word} '{text}'" for word, text in texts if text)
            return f"all of them {told} beside the name of a frame: rename them"
    return ""


def _orphan(file: Path, frames: FrameSource, offset: int, hint: str) -> DataError:
    names = frames.names
    return DataError(
        f"{file}: mask without a frame: expected the stem of a frame of {frames.video.path} "
        f"({names[0]} to {names[-1]}{_with(offset)}), found {file.stem}",
        hint or "rename or remove the mask, or add its frame",
    )


def _with(offset: int) -> str:
    return f", with --frame-offset {offset}" if offset else ""


def _counted(offset: int, others: Sequence[int]) -> str:
    """What to say of masks that all have frames if these are counted otherwise; "" if they have not."""
    if len(others) != 1:
        return ""
    right = offset + others[0]
    return f"all of them have a frame {f'with --frame-offset {right}' if right else 'without --frame-offset'}"


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
