"""What `--data` may say, as text -> a source; nothing but the folder itself is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from vsodtool.config.datasets import DatasetLayout, find_dataset
from vsodtool.errors import ConfigError, DataError
from vsodtool.media.annotations.reading import is_known_format
from vsodtool.media.annotations.recognition import holds_annotations
from vsodtool.media.folders import holds_images
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import read_manifest

SOURCE_HELP = (
    "give a DAVIS-style root, a folder with images/ and masks/, IMAGES::MASKS, the output folder of "
    "pseudolabel, dataset:NAME/SPLIT@ROOT, annotations with their images beside them, or IMAGES::ANNOTATIONS"
)
_ANNOTATIONS = (".json", ".xml", ".zip")  # what annotation files are called
_PAIRS = (("images", "masks"), ("imgs", "gt"), ("JPEGImages", "Annotations"))
Reading: TypeAlias = Literal["", "stills", "video"]


@dataclass(frozen=True)
class PairSource:
    """Pictures and the masks that belong to them.

    Attributes:
        text: as given.
        images: a folder of pictures, a folder of such folders, a DAVIS-style root, or a video file.
        masks: likewise, no video file.
        reading: what a single folder of pictures is; "" decides by its names and sizes.
    """

    text: str
    images: Path
    masks: Path
    reading: Reading = ""


@dataclass(frozen=True)
class PseudoSource:
    """An output folder of `pseudolabel`.

    Attributes:
        text: as given.
        output: the folder.
        images: the frames that it was made from; None for those that its manifest names.
    """

    text: str
    output: Path
    images: Path | None = None


@dataclass(frozen=True)
class DatasetSource:
    """A split of a named dataset.

    Attributes:
        text: as given.
        layout: of the dataset.
        split: its name.
        root: where the dataset lies.
    """

    text: str
    layout: DatasetLayout
    split: str
    root: Path


@dataclass(frozen=True)
class AnnotatedSource:
    """Annotations of another tool.

    Attributes:
        text: as given.
        annotations: a file, folder or zip.
        images: what they are about, as in `PairSource`; None: it lies beside them.
        reading: as in `PairSource`.
    """

    text: str
    annotations: Path
    images: Path | None = None
    reading: Reading = ""


Source: TypeAlias = PairSource | PseudoSource | DatasetSource | AnnotatedSource


def parse_source(text: str) -> Source:
    """The source that one text of `--data` stands for.

    Raises:
        ConfigError: an unknown dataset or split, or a malformed text.
        DataError: there is nothing at the path, or nothing that looks like training data.
    """
    if text.startswith("dataset:"):
        return _parse_dataset(text)
    reading: Reading = ""
    rest = text
    for prefix in ("stills", "video"):
        if text.startswith(f"{prefix}:"):
            reading, rest = prefix, text.removeprefix(f"{prefix}:")
    images, colons, labels = rest.partition("::")
    if not colons:
        return _parse_root(text, _existing(Path(rest)), reading)
    if not images or not labels:
        raise ConfigError(f"data: expected IMAGES::MASKS, found '{text}'", SOURCE_HELP)
    if is_pseudo_output(_existing(Path(labels))):
        return PseudoSource(text, Path(labels), _existing(Path(images)))
    if holds_annotations(Path(labels)):
        return AnnotatedSource(text, Path(labels), _existing(Path(images)), reading)
    return PairSource(text, _existing(Path(images)), Path(labels), reading)


def places_of(source: Source) -> list[Path]:
    """The folders and files that a source reads, as they were named."""
    match source:
        case DatasetSource():
            return [source.root]
        case PairSource():
            return [source.images, source.masks]
        case PseudoSource():
            return [source.output, *([source.images] if source.images else [])]
        case AnnotatedSource():
            return [source.annotations, *([source.images] if source.images else [])]


def _parse_root(text: str, root: Path, reading: Reading) -> Source:
    if not root.is_dir():
        if root.suffix.lower() in _ANNOTATIONS:
            return AnnotatedSource(text, root, reading=reading)
        raise DataError(f"{root}: expected training data, found a file", SOURCE_HELP)
    if is_pseudo_output(root):
        return PseudoSource(text, root)
    for pictures, labels in _PAIRS:
        if (root / pictures).is_dir() and (root / labels).is_dir():
            # DAVIS-style roots are entered from the root, which knows their resolution folders.
            davis = pictures == "JPEGImages" and not holds_images(root / pictures)
            where = (root, root) if davis else (root / pictures, root / labels)
            return PairSource(text, *where, reading)
    if is_known_format(root):
        return AnnotatedSource(text, root, reading=reading)
    expected = " or ".join(f"{pictures}/ and {labels}/" for pictures, labels in _PAIRS)
    raise DataError(f"{root}: expected {expected}, or annotations, found neither", SOURCE_HELP)


def is_pseudo_output(folder: Path) -> bool:
    """Whether `pseudolabel` wrote this folder.

    Raises:
        UsageError: it has a manifest.json that is not by this tool.
    """
    if not OutputLayout(folder).manifest.is_file():
        return False
    manifest = read_manifest(OutputLayout(folder).manifest)
    return manifest is not None and manifest.command == "pseudolabel"


def _parse_dataset(text: str) -> DatasetSource:
    name, at, root = text.removeprefix("dataset:").partition("@")
    if not at or not root:
        raise ConfigError(
            f"data: expected dataset:NAME/SPLIT@ROOT, found '{text}'",
            "name the folder in which the dataset lies after an @",
        )
    name, _, split = name.partition("/")
    layout = find_dataset(name)
    return DatasetSource(text, layout, layout.check_split(split), _existing(Path(root)))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise DataError(f"{path}: expected training data, found nothing there", SOURCE_HELP)
    return path
