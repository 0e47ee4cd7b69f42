"""Looking into folders: which files are pictures, in which order, and which sub-folders hold some."""

from __future__ import annotations

import re
from collections.abc import Set
from pathlib import Path

from vsodtool.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = IMAGE_SUFFIXES | {".gif"}  # among frames a GIF is a video
VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif"})

_DAVIS_KINDS = frozenset({"JPEGImages", "Annotations"})
_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[object, ...]:
    """Sort key by which `2 < 10` and case does not matter; distinct texts never compare equal."""
    parts = _DIGITS.split(text.casefold())
    # Text and numbers alternate, so parts at the same place always have the same type.
    return (tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), text)


def list_folder(folder: Path) -> list[Path]:
    """The entries of a folder in natural order, hidden ones left out.

    Raises:
        DataError: the folder is missing, no folder, or may not be read.
    """
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise DataError(
            f"cannot read the folder {folder}: {error.strerror or error}",
            "check the path and its permissions",
        ) from error
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(visible, key=lambda entry: natural_key(entry.name))


def list_images(folder: Path, suffixes: Set[str] = IMAGE_SUFFIXES) -> list[Path]:
    """The pictures directly in a folder, in natural order of their stems; everything else is ignored.

    Raises:
        DataError: the folder cannot be read, or two pictures have one stem (both are named).
    """
    images = [entry for entry in list_folder(folder) if entry.suffix.lower() in suffixes and entry.is_file()]
    by_stem: dict[str, Path] = {}
    for image in images:
        other = by_stem.setdefault(image.stem, image)
        if other is not image:
            raise DataError(
                f"{folder}: expected one file per frame, found {other.name} and {image.name} with one stem",
                "remove or rename one of the two",
            )
    return sorted(images, key=lambda image: natural_key(image.stem))


def image_folders(folder: Path, suffixes: Set[str] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """The sub-folders that hold pictures, by name, in natural order.

    Raises:
        DataError: a folder cannot be read.
    """
    return {
        entry.name: entry for entry in list_folder(folder) if entry.is_dir() and holds_images(entry, suffixes)
    }


def holds_images(folder: Path, suffixes: Set[str] = IMAGE_SUFFIXES) -> bool:
    """Whether a picture lies directly in the folder (stops at the first one).

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        return any(
            entry.suffix.lower() in suffixes and not entry.name.startswith(".") and entry.is_file()
            for entry in folder.iterdir()
        )
    except OSError as error:
        raise DataError(
            f"cannot read the folder {folder}: {error.strerror or error}",
            "check the path and its permissions",
        ) from error


def descend_davis(root: Path, kind: str, suffixes: Set[str] = IMAGE_SUFFIXES) -> Path:
    """The folder that holds the videos of a DAVIS-style tree; `root` itself where it is none.

    Args:
        root: a root, its `JPEGImages` or `Annotations` folder, or a folder of videos.
        kind: "JPEGImages" or "Annotations".
        suffixes: of pictures.

    `480p` is preferred; without it a single resolution folder (a sub-folder that holds no pictures but
    whose sub-folders do) is entered.

    Raises:
        DataError: a folder cannot be read.
    """
    base = root / kind if (root / kind).is_dir() else root
    if holds_images(base, suffixes) or image_folders(base, suffixes):
        return base
    # Frames are not masks: a root that lacks one kind must not be entered by way of the other.
    candidates = [entry for entry in list_folder(base) if entry.is_dir() and entry.name not in _DAVIS_KINDS]
    resolutions = [entry for entry in candidates if image_folders(entry, suffixes)]
    preferred = [entry for entry in resolutions if entry.name == "480p"]
    if preferred or len(resolutions) == 1:
        return (preferred or resolutions)[0]
    return base
