"""Folders `<name>_json` of LabelMe's `labelme_json_to_dataset`: `label.png`, `label_names.txt`. Read only.

The values of `label.png` are the places of the classes in `label_names.txt`, which is another list in each
folder; older versions have them in `info.yaml`. Two things of one class have one value.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import yaml

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import (
    Annotations,
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

_FOLDER = "_json"
_AGAIN = "make the folder again: labelme_json_to_dataset FILE.json"


def is_label_picture(path: PurePosixPath) -> bool:
    """Whether a file is the label picture of such a folder, by its name."""
    return path.name == "label.png" and path.parent.name.endswith(_FOLDER)


def detect_labelme_folders(source: Source) -> tuple[str, ...]:
    """The pictures `label.png` of a source."""
    return tuple(name for name in source.files_of(".png") if is_label_picture(PurePosixPath(name)))


def read_labelme_folders(source: Source, names: tuple[str, ...], _: ReadOptions) -> Annotations:
    """Read such folders; the one that holds them is the video.

    Args:
        source: what holds them.
        names: the files `label.png`.

    Raises:
        DataError: a picture is damaged, or its values have no names.
    """
    frames: dict[str, list[FrameLabels]] = defaultdict(list)
    for name in names:
        folder = PurePosixPath(name).parent
        frames[folder.parent.name].append(_read_frame(source, name, folder))
    videos = tuple(VideoLabels(video, tuple(found)) for video, found in frames.items())
    return Annotations(str(source.path), "labelme-folders", videos)


def _read_frame(source: Source, name: str, folder: PurePosixPath) -> FrameLabels:
    place, titles = source.place(name), _names(source, folder)
    values = _read(source, name)
    present = np.unique(values)
    strange = [number for number in present.tolist() if number >= len(titles)]
    if strange:
        raise DataError(
            f"{place}: expected values below {len(titles)}, the lines of label_names.txt, found {strange[0]}",
            _AGAIN,
        )
    shapes = [
        Shape(titles[number], _later(source, name, number), f"{place}: {titles[number]}")
        for number in present.tolist()
        if number  # 0 is the background
    ]
    size: Size = (values.shape[0], values.shape[1])
    stem = folder.name.removesuffix(_FOLDER)
    return FrameLabels(FrameKey(f"{stem}.jpg", None, size), tuple(shapes), empty=not shapes)


def _names(source: Source, folder: PurePosixPath) -> list[str]:
    text, old = (folder / "label_names.txt").as_posix(), (folder / "info.yaml").as_posix()
    if text in source.names:
        return source.read(text).decode("utf-8-sig", "replace").splitlines()
    if old in source.names:
        try:
            found = yaml.safe_load(source.read(old))
        except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
            raise DataError(
                f"{source.place(old)}: expected YAML, found damage: {str(error).splitlines()[0]}", _AGAIN
            ) from error
        titles = found.get("label_names") if isinstance(found, dict) else None
        if isinstance(titles, list) and all(isinstance(title, str) for title in titles):
            return titles
    raise DataError(
        f"{source.place(folder.as_posix())}: expected label_names.txt, a line for each value, found none",
        _AGAIN,
    )


def _read(source: Source, name: str) -> npt.NDArray[np.uint8]:
    try:
        image = open_png(source.read(name))
        if image.mode not in ("L", "P", "1"):
            raise ValueError(f"expected a palette or grey picture, found {image.mode}")
    except ValueError as error:
        raise DataError(f"{source.place(name)}: {error}", _AGAIN) from error
    return np.asarray(image).astype(np.uint8)


def _later(source: Source, name: str, number: int) -> Draw:
    """Reads the picture again when it is drawn, so that memory does not grow with the number of frames."""

    def draw(size: Size) -> MaskArray:
        return full_mask(_read(source, name) == number, source.place(name))(size)

    return draw
