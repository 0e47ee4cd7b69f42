"""Annotation files of any format: which one it is, found by content, and what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from vsodtool.errors import DataError
from vsodtool.media.annotations.json_tree import load_json
from vsodtool.media.annotations.model import Annotations, Category, ReadOptions, Shape
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.media.annotations.source import Source
from vsodtool.media.annotations.table import FORMATS, Format
from vsodtool.media.folders import MASK_SUFFIXES
from vsodtool.types import Size


def find_format(source: Source, name: str = "auto") -> tuple[Format, tuple[str, ...]]:
    """The format of a source, and its files.

    Args:
        source: the file, folder or zip.
        name: a name of the table, or "auto" to find it out by content.

    Raises:
        DataError: it is of no known format, of several, or not of the one named.
    """
    readable = [entry for entry in FORMATS if entry.read is not None]
    if name != "auto":
        entry = next(entry for entry in readable if entry.name == name)
        names = entry.detect(source)
        if not names:
            raise DataError(
                f"{source.path}: expected {entry.title}, found none of it", "leave --masks-format out"
            )
        return entry, names
    found = [(entry, names) for entry in readable if (names := entry.detect(source))]
    if len(found) == 1:
        return found[0]
    if found:
        titles = " and ".join(entry.title for entry, _ in found)
        raise DataError(
            f"{source.path}: expected annotations of one format, found {titles}",
            f"say which: --masks-format {found[0][0].name}",
        )
    raise _unknown(source)


def is_known_format(path: Path) -> bool:
    """Whether a path is annotations of a known format, by content.

    Raises:
        DataError: a file in it cannot be read.
    """
    source = Source(path)
    return holds_annotations(path) and any(entry.read and entry.detect(source) for entry in FORMATS)


def read_annotations(
    path: Path, format_name: str = "auto", options: ReadOptions | None = None
) -> Annotations:
    """Read annotations of any format.

    Args:
        path: a file, folder or zip.
        format_name: a name of the table, or "auto".
        options: how to read them.

    Raises:
        DataError: the format is not known, or something in the file is wrong.
    """
    source = Source(path)
    entry, names = find_format(source, format_name)
    assert entry.read is not None
    options = options or ReadOptions()
    found = _with_all_classes(entry.read(source, names, options))
    return _without_bad_shapes(found) if options.skip_bad else found


def _with_all_classes(annotations: Annotations) -> Annotations:
    """With the classes of shapes that the file does not declare, which writers number and colour, too."""
    drawn = (
        shape.category for video in annotations.videos for frame in video.frames for shape in frame.shapes
    )
    declared = {category.name for category in annotations.categories}
    lacking = [Category(name) for name in dict.fromkeys(drawn) if name not in declared]
    return replace(annotations, categories=(*annotations.categories, *lacking))


def _without_bad_shapes(annotations: Annotations) -> Annotations:
    """Without the shapes that cannot be drawn, which readers find out later than what they cannot read."""
    left_out = annotations.left_out.copy()

    def good(shape: Shape, size: Size | None) -> bool:
        try:
            if size is not None:
                shape.draw(size)
        except DataError:
            left_out["unreadable"] += 1
            return False
        return True

    videos = []
    for video in annotations.videos:
        frames = [
            replace(frame, shapes=tuple(shape for shape in frame.shapes if good(shape, frame.key.size)))
            for frame in video.frames
        ]
        videos.append(replace(video, frames=tuple(frames)))
    return replace(annotations, videos=tuple(videos), left_out=left_out)


def _unknown(source: Source) -> DataError:
    known = ", ".join(entry.title for entry in FORMATS if entry.read is not None)
    for name in source.files_of(".json"):
        value = load_json(source, name).value
        if isinstance(value, list) and value:
            if isinstance(value[0], dict) and "segmentation" in value[0]:
                return DataError(
                    f"{source.place(name)}: expected a file that says which images it is about, found a list "
                    "of masks (COCO results, or what SAM's generator returns)",
                    "write COCO instances: images with their names, categories, and these as annotations",
                )
            return DataError(
                f"{source.place(name)}: expected Label Studio's full export, found another list (JSON-MIN?)",
                "choose JSON when exporting",
            )
    for name in source.files_of(".xml"):
        if source.read(name).startswith((b"\xff\xfe", b"\xfe\xff")):
            return DataError(
                f"{source.place(name)}: expected text in UTF-8, found UTF-16",
                "save it as UTF-8 (in PowerShell: -Encoding utf8)",
            )
    kinds = ("nothing", "another kind of file", "files of other kinds")
    what = kinds[min(2, len(source.names))]
    pictures = sum(PurePosixPath(name).suffix.lower() in MASK_SUFFIXES for name in source.names)
    if 2 * pictures > len(source.names):
        return _plain_masks(source, known)
    return DataError(
        f"{source.path}: expected masks or annotations ({known}), found {what}",
        "check the path, and that it was exported with masks or polygons",
    )


def _plain_masks(source: Source, known: str) -> DataError:
    """The error about masks that stand for themselves; `--masks` takes folders of them elsewhere."""
    hint = "vsodtool pseudolabel INPUT --masks MASKS -o OUT takes plain masks, and convert takes that OUT"
    found = "a picture"
    if source.path.is_dir():
        found = "a folder of pictures"
    elif not source.is_file:
        found, hint = "a zip of pictures", "unpack it: plain masks are read from folders"
    return DataError(f"{source.path}: expected annotations ({known}), found {found}", hint)
