"""YOLO segmentation: a text file for each image, a line for each ring: class x1 y1 x2 y2 ... in shares.

One ring for each line and no word for "the same object": parts and holes are joined by cuts of no width.
Filled by COCO's rule. An empty file says "nothing here", a missing one says nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.mots import is_mots_line
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    Draw,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    ShapeKind,
    VideoLabels,
)
from vsodtool.media.annotations.rings import one_ring, trace_parts
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import box_ring, coco_polygon
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_NUMBER = re.compile("[0-9]{1,9}")
_BEYOND = 0.01  # coordinates may lie outside 0 to 1 by this much: rounding, not pixels
_NO_LABELS = ("classes.txt", "labelmap.txt", "train.txt", "val.txt", "test.txt", "requirements.txt")


def detect_yolo(source: Source) -> tuple[str, ...]:
    """The label files of a source: texts below `labels`, or of numbers, or beside the names of classes.

    Raises:
        DataError: a file cannot be read.
    """
    texts = [name for name in source.files_of(".txt") if "ImageSets/" not in name]
    texts = [name for name in texts if not is_mots_line(source.first_line(name))]
    in_labels = [name for name in texts if "labels" in PurePosixPath(name).parts[:-1]]
    described = any(
        PurePosixPath(name).name in ("data.yaml", "dataset.yaml", "classes.txt") for name in source.names
    )
    if in_labels:
        return tuple(in_labels)
    if not texts or not (described or all(_line_of_numbers(source, name) for name in texts[:3])):
        return ()
    return tuple(texts)


def _line_of_numbers(source: Source, name: str) -> bool:
    words = source.first_line(name).split()
    return len(words) >= 5 and all(re.fullmatch(rb"-?\d+(\.\d+)?([eE]-?\d+)?", word) for word in words)


def read_yolo(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read label files and the names of their classes: `data.yaml`, `classes.txt`, else class_0, ...

    Raises:
        DataError: a line has other than numbers, fewer than three points, or coordinates in pixels.
    """
    classes = _classes(source)
    left_out: Counter[str] = Counter()
    frames: dict[str, list[FrameLabels]] = defaultdict(list)
    seen: set[int] = set()
    for name in names:
        if PurePosixPath(name).name in _NO_LABELS:
            continue
        place = source.place(name)
        try:
            lines = source.read(name).decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{place}: expected text, found byte 0x{error.object[error.start]:02x}", ""
            ) from error
        shapes = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            where = f"{place}: line {number}"
            shape = options.attempt(left_out, _shape, line, where, classes, options, left_out)
            if shape is not None:
                shapes.append(shape)
        frames[_video(name)].append(
            FrameLabels(
                FrameKey(f"{PurePosixPath(name).stem}.jpg"),
                tuple(shapes),
                empty=not any(map(str.strip, lines)),
            )
        )
        seen.update(int(shape.attributes["class"]) for shape in shapes)
    categories = tuple(
        Category(classes.get(number, f"class_{number}"), source_id=str(number))
        for number in sorted(seen | set(classes))
    )
    videos = tuple(VideoLabels(video, tuple(found)) for video, found in frames.items())
    return Annotations(str(source.path), "yolo", videos, categories, left_out)


def _video(name: str) -> str:
    """The folder below `labels` and its split, where videos have one each."""
    parts = PurePosixPath(name).parts[:-1]
    parts = parts[parts.index("labels") + 1 :] if "labels" in parts else parts
    parts = parts[1:] if parts and parts[0] in ("train", "val", "valid", "test") else parts
    return parts[-1] if parts else ""


def _classes(source: Source) -> dict[int, str]:
    described = [name for name in source.names if PurePosixPath(name).name in ("data.yaml", "dataset.yaml")]
    if described:
        import yaml

        try:
            named = yaml.safe_load(source.read(described[0])) or {}
        except (yaml.YAMLError, RecursionError, UnicodeDecodeError) as error:
            raise DataError(
                f"{source.place(described[0])}: expected YAML, found damage: {str(error).splitlines()[0]}",
                "export it again",
            ) from error
        found = named.get("names", {}) if isinstance(named, dict) else {}
        pairs = (
            found.items() if isinstance(found, dict) else enumerate(found if isinstance(found, list) else ())
        )
        # Names only: what YAML's aliases make of lists within lists would be endless as text.
        return {
            int(str(number)): str(title)
            for number, title in pairs
            if isinstance(number, (str, int)) and _NUMBER.fullmatch(str(number))
            if isinstance(title, (str, int, float))
        }
    plain = [name for name in source.names if PurePosixPath(name).name == "classes.txt"]
    if plain:
        lines = source.read(plain[0]).decode("utf-8-sig", "replace").splitlines()
        return {number: line.strip() for number, line in enumerate(lines) if line.strip()}
    return {}


def _shape(
    line: str, place: str, classes: dict[int, str], options: ReadOptions, left_out: Counter[str]
) -> Shape | None:
    words = line.split()
    try:
        number, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError as error:
        raise DataError(
            f"{place}: expected a class and numbers, found {line.strip()[:60]!r}", "export it again"
        ) from error
    if classes and number not in classes:
        raise DataError(
            f"{place}: expected a class of 0 to {max(classes)}, found {number}",
            "complete the names of data.yaml",
        )
    if len(values) > 4 and len(values) % 2:
        raise DataError(
            f"{place}: expected a class and pairs of coordinates, found {len(values)} numbers behind it",
            "a confidence or the id of a track at the end? write the labels without save_conf, by predict",
        )
    strange = next((value for value in values if not -_BEYOND <= value <= 1 + _BEYOND), None)
    if strange is not None:
        raise DataError(
            f"{place}: expected shares of the image, 0 to 1, found {strange:g}",
            "divide the coordinates by width and height",
        )
    values = [min(1.0, max(0.0, value)) for value in values]
    kind: ShapeKind = "box" if len(values) == 4 else "polygon"
    if kind == "box" and not options.boxes:
        left_out["box"] += 1
        return None
    if kind == "polygon":
        coco_polygon([values], place)  # refuses too few points before any frame is drawn
    category = classes.get(number, f"class_{number}")
    return Shape(category, _draw(values, kind, place), place, kind, attributes={"class": str(number)})


def _draw(values: list[float], kind: ShapeKind, place: str) -> Draw:
    def draw(size: Size) -> MaskArray:
        height, width = size
        ring = [value * (height if place % 2 else width) for place, value in enumerate(values)]
        if kind == "box":
            x, y, w, h = ring
            ring = box_ring(x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        return coco_polygon([ring], place)(size)

    return draw


def write_yolo(annotations: Annotations) -> Iterator[tuple[str, str]]:
    """A file for each frame, and data.yaml: name, text."""
    import yaml

    numbers = {category.name: place for place, category in enumerate(annotations.categories)}
    several = len(annotations.videos) > 1
    names = "".join(
        f"  {number}: {yaml.safe_dump(name, allow_unicode=True, width=10**6).splitlines()[0]}\n"
        for name, number in numbers.items()
    )
    yield "data.yaml", f"path: .\ntrain: images/train\nval: images/train\nnames:\n{names}"
    for video in annotations.videos:
        folder = f"labels/train/{video.name}/" if several and video.name else "labels/train/"
        for frame in video.frames:
            lines = []
            for shape in frame.shapes:
                mask = shape.draw(frame.key.known_size)
                if mask.any():
                    height, width = frame.key.known_size
                    points = [f"{x / width:.6g} {y / height:.6g}" for x, y in one_ring(trace_parts(mask))]
                    lines.append(f"{numbers[shape.category]} {' '.join(points)}\n")
            yield f"{folder}{frame.key.stem}.txt", "".join(lines)
