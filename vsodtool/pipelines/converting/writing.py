"""Annotations into files of a format, or masks: all of them, none beside the folder, none over another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from vsodtool.config import ConvertConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.annotations.label_images import (
    palette_of,
    room_for,
)
from vsodtool.media.annotations.model import (
    Annotations,
)
from vsodtool.media.annotations.objects import ObjectInfo
from vsodtool.media.annotations.table import FORMATS, Format
from vsodtool.media.atomic import atomic_path, disk_errors, write_bytes_atomically
from vsodtool.media.case import check_case
from vsodtool.media.masks.encoding import MaskEncoding
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.types import Event, OnEvent

MASKS = "masks"
_ESCAPED = "backslashreplace"  # names that are not UTF-8 on the disk: JSON reads them back


def write(
    annotations: Annotations,
    target: Path,
    config: ConvertConfig,
    stored: Mapping[str, MaskEncoding],
    on_event: OnEvent,
) -> tuple[bool, str]:
    """Write all; whether it is exact, and how to take it into its tool.

    Args:
        annotations: what to write; sizes of frames are known.
        target: file or folder.
        config: the format, and how.
        stored: how masks of several objects are stored that folders of masks lie beside, by video.
        on_event: hears of files of another conversion that lie there.

    Raises:
        UsageError: the target exists, the format holds one video and there are several, or names would be one
            in the target.
        DataError: two files have one name, or a shape cannot be drawn.
        DeviceError: it cannot be written.
    """
    entry = next((entry for entry in FORMATS if entry.name == config.to), None)
    of_files = entry is None or entry.write_files is not None
    _check_target(target, config, of_files=of_files)
    if of_files:
        _check_case(target, annotations)
    if entry is None:
        folder = _Folder(target)
        _write_masks(annotations, folder, stored)
        folder.tell_others(on_event)
        return True, ""
    if entry.one_video and len(annotations.videos) > 1:
        names = ", ".join(video.name for video in annotations.videos[:3])
        raise UsageError(
            f"{entry.title} holds one video, found {len(annotations.videos)} ({names}, ...)",
            "choose one with --video NAME",
        )
    if entry.write_files is not None:
        if config.polygons:
            raise UsageError(f"{entry.title} is written in one way only", "convert without --polygons")
        folder = _Folder(target)
        for name, text in entry.write_files(annotations):
            folder.write(name, text.encode("utf-8", _ESCAPED))
        folder.tell_others(on_event)
        return entry.lossless, entry.import_hint
    with (
        atomic_path(target) as temporary,
        disk_errors(target),
        temporary.open("w", encoding="utf-8", errors=_ESCAPED) as file,
    ):
        file.writelines(_pieces(entry, annotations, config))
    return entry.lossless and not config.polygons, entry.import_hint.format_map(_words(config))


def _check_target(target: Path, config: ConvertConfig, *, of_files: bool) -> None:
    """Refuse to write over what is there unasked, over the source, or a folder for a file or a file for one.

    Raises:
        UsageError: naming what is there.
    """
    if target.exists() and config.source.exists() and target.samefile(config.source):
        raise UsageError(f"{target} is what is converted", "choose another name with -o")
    if target.exists() and target.is_dir() != of_files:
        wanted, there = ("a folder", "a file") if of_files else ("a file", "a folder")
        raise UsageError(
            f"{target}: --to {config.to} writes {wanted}, found {there} of that name",
            "choose another name with -o",
        )
    if target.exists() and not config.overwrite and not (target.is_dir() and not any(target.iterdir())):
        raise UsageError(f"{target} exists", "choose another name with -o, or say --overwrite")


def _check_case(target: Path, annotations: Annotations) -> None:
    """Refuse names of videos, or of frames of one, that would be one in a folder.

    Raises:
        UsageError: naming two of them.
    """
    check_case(target, [video.name for video in annotations.videos], "the videos")
    for video in annotations.videos:
        stems = [frame.key.stem for frame in video.frames if frame.key.stem]
        check_case(target, stems, f"in {video.name or 'the video'} the frames")


def _pieces(entry: Format, annotations: Annotations, config: ConvertConfig) -> Iterator[str]:
    write = entry.write_polygons if config.polygons else entry.write
    if write is None:
        with_or_without = "without" if config.polygons else "with"
        raise UsageError(
            f"{entry.title} holds {'masks' if config.polygons else 'polygons'} only",
            f"convert {with_or_without} --polygons",
        )
    return write(annotations, **_words(config)) if entry.names_tags else write(annotations)


def _words(config: ConvertConfig) -> dict[str, str]:
    """What a labelling configuration calls things."""
    return {
        "tag": config.ls_tag,
        "from_name": config.from_name,
        "to_name": config.to_name,
        "image_url": config.image_url,
    }


class _Folder:
    """A folder that files are written into, each once and none beside it, whatever strangers call them."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._written: set[str] = set()
        self._folded: dict[str, str] = {}  # name by what it is where case does not count

    def write(self, name: str, data: bytes) -> None:
        """Write a file.

        Raises:
            DataError: its name leads out of the folder, or was written before.
            UsageError: its name is that of another one there but for case.
            DeviceError: it cannot be written.
        """
        plain = PurePosixPath(name.replace("\\", "/"))
        if plain.is_absolute() or ".." in plain.parts or PureWindowsPath(name).drive:
            raise DataError(
                f"{self._root}: expected names of files within it, found {name!r}",
                "rename the video in the annotations, or give it with --input",
            )
        if name in self._written:
            raise DataError(
                f"{self._root}: expected a name of its own for each file, found {name!r} twice",
                "frames of different folders have one name: convert one video at a time, with --video",
            )
        other = self._folded.setdefault(name.casefold(), name)
        if other != name:
            check_case(self._root, (other, name), "the files")
        self._written.add(name)
        write_bytes_atomically(self._root / name, data)

    def tell_others(self, on_event: OnEvent) -> None:
        """Name files that lie where these were written, as those of an earlier conversion."""
        own = {self._root / name for name in self._written}
        folders = sorted({path.parent for path in own})
        lying = [path for folder in folders for path in sorted(folder.iterdir()) if path not in own]
        kinds = {path.suffix for path in own}
        others = [path for path in lying if path.suffix in kinds and path.is_file()]
        if others:
            shown = ", ".join(str(path.relative_to(self._root)) for path in others[:3])
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            text = f"{self._root}: not of this conversion, and left as they are: {shown}{more}"
            on_event(Event("warning", message=text))


def _write_masks(annotations: Annotations, folder: _Folder, stored: Mapping[str, MaskEncoding]) -> None:
    colors = {category.name: category.color for category in annotations.categories}
    for video in annotations.videos:
        # By video: one name may have another id in each.
        names = {int(shape.track or 1): shape.category for frame in video.frames for shape in frame.shapes}
        infos = [ObjectInfo(number, name, name, "", colors.get(name, "")) for number, name in names.items()]
        palette, encoding = palette_of(infos), room_for(infos, stored.get(video.name))
        for frame in video.frames:
            labels = np.zeros(frame.key.known_size, np.uint16)
            for shape in frame.shapes:
                labels[shape.draw(frame.key.known_size)] = int(shape.track or 1)
            stem = frame.key.stem or f"{frame.key.number or 0:05d}"
            if encoding is not None:
                data = encoding.encode(labels)
            else:
                narrow = labels.astype(np.uint8)
                data = encode_plane_png(labels) if palette is None else encode_plane_png(narrow, palette)
            where = f"{video.name}/" if len(annotations.videos) > 1 and video.name else ""
            folder.write(f"{where}{stem}.png", data)
