"""CVAT's "Segmentation mask 1.1" and the layout of VOC: class pictures with a map of colours. Read only.

The colours of `SegmentationObject` are numbered anew in every frame, so they say nothing about who is who;
they only show whether a class occurs twice in a frame.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    Draw,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.pictures import open_png
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import full_mask
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

Codes = npt.NDArray[np.uint32]  # (H, W), 0xRRGGBB

_SHOWN = 3
_NUMBER = re.compile("[0-9]{1,3}")


def detect_cvat_masks(source: Source) -> tuple[str, ...]:
    """The pictures of `SegmentationClass` of a source."""
    return tuple(name for name in source.files_of(".png") if "SegmentationClass/" in f"/{name}")


def read_cvat_masks(source: Source, names: tuple[str, ...], _: ReadOptions) -> Annotations:
    """Read class pictures; the objects' pictures, where there are any, tell things of one class apart.

    Args:
        source: the folder or zip.
        names: the pictures of `SegmentationClass`.

    Raises:
        DataError: there is no map of colours, a picture is damaged, or has a colour that the map lacks.
    """
    root = names[0].split("SegmentationClass/")[0]
    colours = _read_map(source, f"{root}labelmap.txt")
    members = set(source.names)
    frames = []
    for name in names:
        objects = name.replace("SegmentationClass/", "SegmentationObject/")
        frames.append(_read_frame(source, name, objects if objects in members else None, colours))
    categories = tuple(Category(label, color=f"#{code:06x}") for code, label in colours.items() if label)
    return Annotations(str(source.path), "cvat-masks", (VideoLabels("", tuple(frames)),), categories)


def _read_map(source: Source, name: str) -> dict[int, str]:
    """Colour -> name of its class, "" for the background."""
    if name not in source.names:
        raise DataError(
            f"{source.path}: expected labelmap.txt beside SegmentationClass, found none",
            "export 'Segmentation mask 1.1' again; it says which colour is which class",
        )
    found: dict[int, str] = {}
    for number, line in enumerate(source.read(name).decode("utf-8-sig", "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        label, _, rest = text.partition(":")
        parts = rest.split(":")[0].split(",")
        if len(parts) != 3 or not all(_NUMBER.fullmatch(part.strip()) and int(part) < 256 for part in parts):
            raise DataError(
                f"{source.place(name)}: line {number}: expected name:red,green,blue, found {text[:60]!r}",
                "export it again",
            )
        red, green, blue = map(int, parts)
        found[red << 16 | green << 8 | blue] = label
    # The background is black, or else what is called so.
    background = (
        0 if 0 in found else next((code for code, label in found.items() if label == "background"), 0)
    )
    found[background] = ""
    return found


def _read_frame(source: Source, name: str, objects: str | None, colours: dict[int, str]) -> FrameLabels:
    classes = _Codes(source, name, tuple(colours))
    codes = classes()
    known = np.isin(codes, list(colours))
    if not known.all():
        strange = Counter(codes[~known].tolist())
        shown = ", ".join(f"#{code:06x} ({count} pixels)" for code, count in strange.most_common(_SHOWN))
        raise DataError(
            f"{source.place(name)}: expected the colours of labelmap.txt, found {shown}",
            "pictures that were edited or resized have mixed colours: export them again",
        )
    present = [code for code in np.unique(codes).tolist() if colours[code]]
    pictured = None if objects is None else _Codes(source, objects)
    things = None if pictured is None else pictured()
    shapes = []
    for code in present:
        area = codes == code
        # One shape for each thing of the class, so that two of them are noticed.
        for thing in [None] if things is None else np.unique(things[area]).tolist():
            place = f"{source.place(name)}: class {colours[code]}"
            shapes.append(Shape(colours[code], _later(classes, code, pictured, thing), place))
    size: Size = (codes.shape[0], codes.shape[1])
    return FrameLabels(FrameKey(PurePosixPath(name).name, None, size), tuple(shapes), empty=not present)


def _later(classes: _Codes, code: int, objects: _Codes | None, thing: int | None) -> Draw:
    """Reads the pictures again when it is drawn, so that memory does not grow with the number of frames."""

    def draw(size: Size) -> MaskArray:
        mask = classes() == code
        if objects is not None and thing is not None:
            mask &= objects() == thing
        return full_mask(mask, classes.place)(size)

    return draw


@dataclass(frozen=True)
class _Codes:
    """A picture of a source: called, it gives its colours, (H, W) 0xRRGGBB.

    Attributes:
        source: where it lies.
        name: its name there.
        order: the colours that its values are indices of, if it is grey; None: it is no picture of classes.
    """

    source: Source
    name: str
    order: tuple[int, ...] | None = None

    @property
    def place(self) -> str:
        return self.source.place(self.name)

    def __call__(self) -> Codes:
        try:
            image = open_png(self.source.read(self.name))
        except ValueError as error:
            raise DataError(f"{self.place}: {error}", "export it again") from error
        if image.mode in ("L", "1", "I;16", "I") and self.order is not None:
            return _by_index(self.place, image, self.order)
        wide = np.asarray(image.convert("RGB")).astype(np.uint32)
        return np.asarray(wide @ np.array([1 << 16, 1 << 8, 1], np.uint32), np.uint32)


def _by_index(place: str, image: Image.Image, order: tuple[int, ...]) -> Codes:
    indices = np.asarray(image).astype(np.int64)
    if indices.max(initial=0) >= len(order):
        raise DataError(
            f"{place}: expected indices below {len(order)}, the lines of labelmap.txt, "
            f"found {int(indices.max())}",
            "export it again",
        )
    codes: Codes = np.take(np.asarray(order, np.uint32), indices).astype(np.uint32)
    return codes
