"""Is a path annotations of a tool, or masks as a folder of pictures? Which tool it is, `reading` tells."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from vsodtool.media.annotations.formats.labelme_folders import is_label_picture
from vsodtool.media.annotations.json_tree import top_level_keys
from vsodtool.media.annotations.source import Source
from vsodtool.media.folders import MASK_SUFFIXES


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
    return beside and "shapes" in (top_level_keys(source, files[0].as_posix()) or ())


def _is_project_file(path: PurePosixPath) -> bool:
    """Whether a file lies where a tool's project has its annotations, whatever else the project holds."""
    folders, suffix = path.parts[:-1], path.suffix.lower()
    return (
        (folders == ("SegmentationClass",))  # VOC
        or path.as_posix() == "annotations.xml"  # CVAT
        or is_label_picture(path)
        or (suffix == ".json" and folders[-1:] in (("ann",), ("annotations",)))  # Supervisely, COCO
    )
