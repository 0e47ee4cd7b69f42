"""The table of formats: how each is recognised, read and written. A format is a module and a line here.

Recognition looks at content only, never at the name alone: exports are called `annotations.json` everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.burst import read_burst, write_burst
from vsodtool.media.annotations.formats.coco import read_coco, write_coco
from vsodtool.media.annotations.formats.cvat import read_cvat, write_cvat, write_cvat_video
from vsodtool.media.annotations.formats.cvat_masks import read_cvat_masks
from vsodtool.media.annotations.formats.datumaro import read_datumaro
from vsodtool.media.annotations.formats.label_studio import read_label_studio, write_label_studio
from vsodtool.media.annotations.formats.labelme import read_labelme, write_labelme
from vsodtool.media.annotations.formats.labelme_folders import is_label_picture, read_labelme_folders
from vsodtool.media.annotations.formats.mots import is_mots_line, read_mots, write_mots
from vsodtool.media.annotations.formats.supervisely import read_supervisely, write_supervisely
from vsodtool.media.annotations.formats.via import PROJECT, read_via
from vsodtool.media.annotations.formats.yolo import read_yolo, write_yolo
from vsodtool.media.annotations.formats.youtube_vis import read_youtube_vis, write_youtube_vis
from vsodtool.media.annotations.json_tree import load_json
from vsodtool.media.annotations.model import Annotations, Category, ReadOptions, Shape
from vsodtool.media.annotations.source import Source
from vsodtool.media.folders import MASK_SUFFIXES
from vsodtool.types import Size

Names: TypeAlias = tuple[str, ...]
WriteFile: TypeAlias = Callable[..., Iterator[str]]  # annotations, and for some: names of tags
WriteFiles: TypeAlias = Callable[[Annotations], Iterator[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format of annotations.

    Attributes:
        name: as `--masks-format` and `--to` call it.
        title: as people call it.
        detect: the files of a source that are of this format, () if none is.
        read: reads those files; None if it is only written.
        write: the text of the one file, piece by piece; or
        write_files: names and texts of many; both None if it is only read.
        write_polygons: `write` with polygons instead of masks, where the format has both.
        one_video: a file holds one video only.
        of_objects: it holds objects over the frames, not shapes, so shapes must have become objects before.
        of_classes: it knows classes only, so that two things of one class are not told apart over the frames.
        bare_is_empty: a frame that is written without shapes says that nothing is there.
        names_tags: `write` takes what a labelling configuration calls things: tag, from_name, to_name,
            image_url; `import_hint` has places for them.
        lossless: whether what is written is exactly what was there.
        import_hint: how to take the file into its tool.
    """

    name: str
    title: str
    detect: Callable[[Source], Names] = lambda _: ()
    read: Callable[[Source, Names, ReadOptions], Annotations] | None = None
    write: WriteFile | None = None
    write_files: WriteFiles | None = None
    write_polygons: WriteFile | None = None
    one_video: bool = False
    of_objects: bool = False
    of_classes: bool = False
    bare_is_empty: bool = False
    names_tags: bool = False
    lossless: bool = True
    import_hint: str = ""


def _json_object(source: Source, *keys: str, without: str = "") -> Names:
    """The JSON files that are an object with all these keys."""
    found = []
    for name in _named(source, ".json"):
        head = _top_level(source, name)
        if head is not None and set(keys) <= head and without not in head:
            found.append(name)
    return tuple(found)


def _top_level(source: Source, name: str) -> set[str] | None:
    """The keys of a JSON object, {"[]"} | keys of the first member for a list of objects; None for others.

    An object of objects with regions, whose keys are names of files, has the key "{regions}" besides.
    """
    if name not in source.heads:
        value = load_json(source, name).value
        if isinstance(value, list) and value and isinstance(value[0], dict):
            source.heads[name] = {"[]", *value[0]}
        else:
            source.heads[name] = set(value) if isinstance(value, dict) else None
            first = next(iter(value.values()), None) if isinstance(value, dict) else None
            if isinstance(first, dict) and {"regions", "filename"} <= set(first):
                source.heads[name] = {*value, "{regions}"}
    return source.heads[name]


def _named(source: Source, suffix: str) -> Names:
    """The files of a kind: by their suffixes in folders and zips, a single file by how it begins."""
    if source.is_file:
        return source.names if source.kind == suffix else ()
    return tuple(name for name in source.names if name.lower().endswith(suffix))


def _detect_xml(source: Source) -> Names:
    found = []
    for name in _named(source, ".xml"):
        root = re.search(rb"<\s*([A-Za-z_]\w*)", re.sub(rb"<[?!][^>]*>", b"", source.read(name)[:4096]))
        if root is None:
            continue
        if root[1] == b"annotations":
            found.append(name)
        elif root[1] == b"annotation":
            raise DataError(
                f"{source.place(name)}: expected CVAT's XML, found that of Pascal VOC or LabelMe's web tool, "
                f"which holds boxes and no masks",
                "export masks: CVAT 1.1, COCO 1.0 or Segmentation mask 1.1",
            )
    return tuple(found)


def _detect_yolo(source: Source) -> Names:
    texts = [name for name in _named(source, ".txt") if "ImageSets/" not in name]
    texts = [name for name in texts if not is_mots_line(_first_line(source, name))]
    in_labels = [name for name in texts if "labels" in PurePosixPath(name).parts[:-1]]
    described = any(
        PurePosixPath(name).name in ("data.yaml", "dataset.yaml", "classes.txt") for name in source.names
    )
    if in_labels:
        return tuple(in_labels)
    if not texts or not (described or all(_line_of_numbers(source, name) for name in texts[:3])):
        return ()
    return tuple(texts)


def _first_line(source: Source, name: str) -> bytes:
    return source.read(name)[:65536].removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]


def _line_of_numbers(source: Source, name: str) -> bool:
    words = _first_line(source, name).split()
    return len(words) >= 5 and all(re.fullmatch(rb"-?\d+(\.\d+)?([eE]-?\d+)?", word) for word in words)


def _detect_supervisely(source: Source) -> Names:
    return tuple(name for name in _named(source, ".json") if "ann" in PurePosixPath(name).parts[:-1])


def _detect_class_pictures(source: Source) -> Names:
    return tuple(name for name in _named(source, ".png") if "SegmentationClass/" in f"/{name}")


def _detect_mots(source: Source) -> Names:
    texts = _named(source, ".txt")
    return tuple(name for name in texts if is_mots_line(_first_line(source, name)))


def _detect_via(source: Source) -> Names:
    names = _named(source, ".json")
    return tuple(name for name in names if {PROJECT, "{regions}"} & (_top_level(source, name) or set()))


def _detect_label_folders(source: Source) -> Names:
    return tuple(name for name in _named(source, ".png") if is_label_picture(PurePosixPath(name)))


_INTO_CVAT = "in CVAT: open the task, Actions → Upload annotations → CVAT 1.1 (it replaces what is there)"

FORMATS: tuple[Format, ...] = (
    Format(
        name="cvat",
        title="CVAT XML 1.1",
        detect=_detect_xml,
        read=read_cvat,
        write=partial(write_cvat, polygons=False),
        write_polygons=partial(write_cvat, polygons=True),
        one_video=True,
        import_hint=_INTO_CVAT,
    ),
    Format(
        name="cvat-masks",
        title="CVAT Segmentation mask 1.1",
        detect=_detect_class_pictures,
        read=read_cvat_masks,
    ),
    Format(
        name="cvat-video",
        title="CVAT XML 1.1 for video",
        write_polygons=write_cvat_video,
        lossless=False,
        one_video=True,
        of_objects=True,
        import_hint=_INTO_CVAT,
    ),
    Format(
        name="supervisely",
        title="Supervisely",
        detect=_detect_supervisely,
        read=read_supervisely,
        write_files=partial(write_supervisely, video=False),
        of_classes=True,
        import_hint="in Supervisely: Import → Supervisely format; put the images beside ann as img",
    ),
    Format(
        name="supervisely-video",
        title="Supervisely video",
        write_files=partial(write_supervisely, video=True),
        of_objects=True,
        import_hint="in Supervisely: Import → Supervisely video format",
    ),
    Format(
        name="coco",
        title="COCO instances",
        detect=lambda source: _json_object(source, "images", "annotations", "categories"),
        read=read_coco,
        write=partial(write_coco, polygons=False),
        write_polygons=partial(write_coco, polygons=True),
        import_hint="in CVAT: Upload annotations → COCO 1.0; elsewhere: COCO instances",
    ),
    Format(
        name="youtube-vis",
        title="YouTube-VIS",
        detect=lambda source: _json_object(source, "videos", "annotations", "categories", without="images"),
        read=read_youtube_vis,
        write=write_youtube_vis,
        of_objects=True,
        import_hint="YouTube-VIS instances, file_names are <video>/<frame>",
    ),
    Format(
        name="label-studio",
        title="Label Studio",
        detect=lambda source: _json_object(source, "[]", "annotations", "data"),
        read=read_label_studio,
        write=write_label_studio,
        of_classes=True,
        names_tags=True,
        import_hint="in Label Studio: Import; the configuration has a {tag} tag with labels, "
        'name="{from_name}" toName="{to_name}"',
    ),
    Format(
        name="labelme",
        title="LabelMe",
        detect=lambda source: _json_object(source, "shapes"),
        read=read_labelme,
        write_files=partial(write_labelme, masks=True),
        bare_is_empty=True,
        import_hint="put the files beside the images and open the folder in LabelMe",
    ),
    Format(
        name="labelme-folders",
        title="LabelMe's folders of label.png",
        detect=_detect_label_folders,
        read=read_labelme_folders,
    ),
    Format(
        name="x-anylabeling",
        title="X-AnyLabeling",
        write_files=partial(write_labelme, masks=False),
        bare_is_empty=True,
        lossless=False,
        import_hint="put the files beside the images and open the folder in X-AnyLabeling",
    ),
    Format(
        name="burst",
        title="BURST",
        detect=lambda source: _json_object(source, "sequences", "categories"),
        read=read_burst,
        write=write_burst,
        of_objects=True,
        import_hint="BURST sequences; annotated_image_paths are the frames that were written",
    ),
    Format(
        name="mots",
        title="MOTS",
        detect=_detect_mots,
        read=read_mots,
        write_files=write_mots,
        lossless=False,
        of_objects=True,
        import_hint="a text for each video, for TrackEval and trackers; classes have numbers only",
    ),
    Format(
        name="datumaro",
        title="Datumaro",
        detect=lambda source: _json_object(source, "items", "categories"),
        read=read_datumaro,
    ),
    Format(name="via", title="VIA 2", detect=_detect_via, read=read_via),
    Format(
        name="yolo",
        title="YOLO segmentation",
        detect=_detect_yolo,
        read=read_yolo,
        write_files=write_yolo,
        of_classes=True,
        bare_is_empty=True,
        import_hint="put the images beside `labels` as `images`; data.yaml names the classes",
    ),
)


def find_format(source: Source, name: str = "auto") -> tuple[Format, Names]:
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


def holds_annotations(path: Path) -> bool:
    """Whether a path is annotations of a tool, not masks as a folder of pictures.

    A folder of pictures holds masks, whatever else lies there, unless it has the layout of a tool's project,
    or LabelMe's files lie beside the images of the same names.
    """
    if not path.is_dir():
        return path.is_file() and path.suffix.lower() not in MASK_SUFFIXES
    source = Source(path)
    paths = [PurePosixPath(name) for name in source.names]
    pictures = {each.with_suffix("") for each in paths if each.suffix.lower() in MASK_SUFFIXES}
    if not pictures:
        return any(each.suffix.lower() in (".json", ".xml", ".txt", ".zip") for each in paths)
    if any(_is_project_file(each) for each in paths):
        return True
    if not any("labels" in each.parts for each in pictures) and any(
        each.suffix.lower() == ".txt" and "labels" in each.parts[:-1] for each in paths
    ):
        return True  # YOLO; where pictures lie in `labels`, these are the masks
    files = [each for each in paths if each.suffix.lower() == ".json"]
    beside = bool(files) and all(each.with_suffix("") in pictures for each in files)
    return beside and "shapes" in (_top_level(source, files[0].as_posix()) or ())


def is_known_format(path: Path) -> bool:
    """Whether a path is annotations of a known format, by content.

    Raises:
        DataError: a file in it cannot be read.
    """
    source = Source(path)
    return holds_annotations(path) and any(entry.read and entry.detect(source) for entry in FORMATS)


def _is_project_file(path: PurePosixPath) -> bool:
    """Whether a file lies where a tool's project has its annotations, whatever else the project holds."""
    folders, suffix = path.parts[:-1], path.suffix.lower()
    return (
        (folders == ("SegmentationClass",))  # VOC
        or path.as_posix() == "annotations.xml"  # CVAT
        or is_label_picture(path)
        or (suffix == ".json" and folders[-1:] in (("ann",), ("annotations",)))  # Supervisely, COCO
    )


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
    for name in _named(source, ".json"):
        value = load_json(source, name).value
        if isinstance(value, list) and value:
            return DataError(
                f"{source.place(name)}: expected Label Studio's full export, found another list (JSON-MIN?)",
                "choose JSON when exporting",
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
