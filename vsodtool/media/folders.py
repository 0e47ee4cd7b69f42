"""Looking into folders: which files are pictures, in which order, and which sub-folders hold some.

A picture is what has the name of one and is no folder: a link that leads nowhere and a named pipe are listed,
so that who reads them says that they cannot be read. Names are compared and given in Unicode's composed form
(NFC), since Macs write others than Linux for the same name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from fractions import Fraction
from pathlib import Path

from vsodtool.errors import DataError

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MASK_SUFFIXES = IMAGE_SUFFIXES | {".gif"}  # among frames a GIF is a video
VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif", ".m4v", ".3gp", ".3g2", ".ts", ".mts", ".m2ts"),
        *(".mpg", ".mpeg", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".mxf", ".vob", ".mj2"),
    }
)

_DAVIS_KINDS = frozenset({"JPEGImages", "Annotations"})
# A minus belongs to a number at the start of a name and behind `_`, `=`, brackets; elsewhere it is a hyphen.
_TIME = re.compile(r"((?:.*[^0-9.])?)([0-9]{1,18})\.([0-9]{1,18})", re.DOTALL)
_NUMBER = re.compile(r"((?:(?<![^_=(\[{,])[-\u2212])?[0-9]+)")


def natural_key(text: str) -> tuple[object, ...]:
    """Sort key by which `-1 < 2 < 10` and case does not matter; distinct texts never compare equal."""
    parts = _NUMBER.split(text.casefold())
    # Text and numbers alternate, so parts at the same place always have the same type.
    return (
        tuple(int(part.replace("\u2212", "-")) if place % 2 else part for place, part in enumerate(parts)),
        text,
    )


def natural_order(names: Sequence[str]) -> list[int]:
    """The places of names in natural order.

    Times in seconds, as `0.04` and `0.2`, have as many digits as they need: of these the fraction counts, not
    the number behind the dot. They are told by a zero at its begin where another one has fewer digits: a
    counter never has that.
    """
    times = [_TIME.fullmatch(name) for name in names]
    found = [time for time in times if time is not None]
    fractions = [time[3] for time in found]
    alike = len(found) == len(names) and len({time[1] for time in found}) == 1
    shortest = min(map(len, fractions), default=0)
    if alike and any(len(each) > shortest and each.startswith("0") for each in fractions):
        keys = [(int(time[2]), Fraction(int(time[3]), 10 ** len(time[3])), time[0]) for time in found]
        return sorted(range(len(names)), key=keys.__getitem__)
    return sorted(range(len(names)), key=lambda place: natural_key(names[place]))


def same_name(text: str) -> str:
    """A name in the form in which equal names are equal: Unicode's composed one (NFC)."""
    return unicodedata.normalize("NFC", text)


def frame_name(path: Path) -> str:
    """The identity of the frame in a file, or of the frame that a mask belongs to: its stem."""
    return same_name(path.stem)


def folder_name(folder: Path) -> str:
    """The name of a folder as it was given: of a link its own, as of links to files; "" of the root.

    `.` and `..` have no usable name, so that of what they stand for is taken.
    """
    name = folder.name if folder.name not in ("", "..") else folder.resolve().name
    return same_name(name)


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
    images = [entry for entry in list_folder(folder) if _is_picture(entry, suffixes)]
    by_stem: dict[str, Path] = {}
    for image in images:
        other = by_stem.setdefault(frame_name(image), image)
        if other is not image:
            raise DataError(
                f"{folder}: expected one file per frame, found {other.name} and {image.name} with one stem",
                "remove or rename one of the two",
            )
    order = natural_order([frame_name(image) for image in images])
    return [images[place] for place in order]


def image_folders(folder: Path, suffixes: Set[str] = IMAGE_SUFFIXES) -> dict[str, Path]:
    """The sub-folders that hold pictures, by name, in natural order.

    Raises:
        DataError: a folder cannot be read, or two have one name but for the form of Unicode.
    """
    folders: dict[str, Path] = {}
    for entry in list_folder(folder):
        if not (entry.is_dir() and holds_images(entry, suffixes)):
            continue
        other = folders.setdefault(same_name(entry.name), entry)
        if other is not entry:
            raise DataError(
                f"{folder}: two folders are called {entry.name}, in two Unicode forms",
                "rename one of the two",
            )
    return folders


def holds_images(folder: Path, suffixes: Set[str] = IMAGE_SUFFIXES) -> bool:
    """Whether a picture lies directly in the folder (stops at the first one).

    Raises:
        DataError: the folder cannot be read.
    """
    try:
        return any(
            _is_picture(entry, suffixes) and not entry.name.startswith(".") for entry in folder.iterdir()
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


def _is_picture(entry: Path, suffixes: Set[str]) -> bool:
    return entry.suffix.lower() in suffixes and not entry.is_dir()


def refuse_linked(folder: Path) -> None:
    """Refuse a folder to write to that is a link: what is written would go elsewhere.

    Raises:
        DataError: naming the link.
    """
    if folder.is_symlink() and folder.is_dir():
        raise DataError(
            f"{folder}: expected a folder of the tool's own, found a link to {folder.readlink()}",
            "remove the link, or choose another output folder with -o",
        )
