"""LabelMe and X-AnyLabeling: a JSON for each image, areas as masks of a box or as polygons.

Facts: labelme's `_utils/shape.py`, `_label_file.py`; X-AnyLabeling's `label_file.py`. The corners of a mask
are inclusive; where they are fractions (AI masks of 5.5 to 7.8) the first one is rounded half to even and the
size is the picture's (labelme#2336, #2479). Areas are drawn by PIL's rule, as LabelMe does.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from vsodtool.errors import DataError
from vsodtool.media.annotations.json_tree import Tree, load_json
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
from vsodtool.media.annotations.pictures import bilevel_png, from_base64, nonzero, open_png, to_base64
from vsodtool.media.annotations.rings import Part, trace_parts
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import cut_out, mask_in_box, of_size, pil_box, pil_ellipse, pil_polygon
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_NO_AREAS = ("line", "linestrip", "point", "points", "cuboid")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


def read_labelme(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read JSON files, each about one image; a sub-folder is a video.

    Raises:
        DataError: a file is no JSON or a shape cannot be read.
    """
    left_out: Counter[str] = Counter()
    frames: dict[str, list[FrameLabels]] = defaultdict(list)
    categories: dict[str, Category] = {}
    for name in names:
        tree = load_json(source, name)
        frame = _read_frame(tree, PurePosixPath(name), options, left_out)
        frames[PurePosixPath(name).parent.name].append(frame)
        for shape in frame.shapes:
            categories.setdefault(shape.category, Category(shape.category))
    videos = [VideoLabels(video, tuple(found)) for video, found in frames.items()]
    return Annotations(
        str(source.path), "labelme", tuple(_with_identity(videos)), tuple(categories.values()), left_out
    )


def _read_frame(tree: Tree, name: PurePosixPath, options: ReadOptions, left_out: Counter[str]) -> FrameLabels:
    size = None
    if "imageHeight" in tree and "imageWidth" in tree:
        size = (tree["imageHeight"].whole(1, 2**20), tree["imageWidth"].whole(1, 2**20))
    stated = tree.get("imagePath")
    image = PurePosixPath(stated.text().replace("\\", "/")).name if stated is not None else ""
    # The file's own name is right where files were copied or renamed together; imagePath may be stale.
    own = name.stem in (PurePosixPath(image).stem, image)  # 00000.json, or 00000.jpg.json
    key_name = image if own else name.with_suffix(_suffix(image)).name
    shapes = []
    for entry in tree["shapes"]:
        shape = options.attempt(left_out, _read_shape, entry, left_out, size)
        if shape is not None:
            shapes.append(shape)
    return FrameLabels(FrameKey(key_name, None, size), tuple(shapes), empty=tree["shapes"].value == [])


def _suffix(image: str) -> str:
    suffix = PurePosixPath(image).suffix
    return suffix if suffix.lower() in _SUFFIXES else ".jpg"


def _read_shape(entry: Tree, left_out: Counter[str], size: Size | None) -> Shape | None:
    stated = entry.get("shape_type")
    kind = "polygon" if stated is None else stated.text()
    if kind in _NO_AREAS:
        left_out[kind] += 1
        return None
    label = entry["label"].text()
    group = entry.get("group_id")
    number = None if group is None else group.text()
    score = entry.get("score")
    drawn: ShapeKind = "mask" if kind == "mask" else "box" if kind == "rectangle" else "polygon"
    return Shape(
        label,
        of_size(_draw(entry, kind), size, entry.where),
        entry.where,
        drawn,
        track=number,
        part_of=None if number is None else f"{label}\n{number}",
        score=None if score is None else score.number(),
        attributes=_texts(entry.get("attributes")) | _texts(entry.get("flags")),
    )


def _texts(tree: Tree | None) -> dict[str, str]:
    if tree is None or not isinstance(tree.value, dict):
        return {}
    return {key: str(value.value) for key, value in tree.items()}


def _draw(entry: Tree, kind: str) -> Draw:
    place = entry.where
    points = [point.pair() for point in entry["points"]]
    ring = [value for point in points for value in point]
    if kind == "mask":
        return _mask(entry, points)
    if kind == "rectangle" and len(points) == 2:
        return pil_box(ring, place)
    if kind == "circle":
        if len(points) != 2:
            raise entry["points"].refused("the centre of a circle and a point on it")
        radius = math.dist(points[0], points[1])
        return pil_ellipse(points[0], (radius, radius), place)
    if kind in ("polygon", "rectangle", "oriented_rectangle", "rotation", "quadrilateral"):
        return pil_polygon(ring, place)
    raise entry["shape_type"].refused("polygon, rectangle, circle, mask or a rotated rectangle")


def _mask(entry: Tree, points: list[tuple[float, float]]) -> Draw:
    if len(points) != 2:
        raise entry["points"].refused("the two corners of a mask")
    (x0, y0), (x1, y1) = points
    if any(abs(value) > 2**30 for value in (x0, y0, x1, y1)):
        raise entry["points"].refused("corners near the image")
    left, top = round(x0), round(y0)
    # A fractional box is a pixel smaller or larger than its mask; a bomb is much larger.
    largest = (round(abs(y1 - y0)) + 3, round(abs(x1 - x0)) + 3)
    text = entry["mask"].text()

    def draw(size: Size) -> MaskArray:
        try:
            mask = nonzero(open_png(from_base64(text), largest))
        except ValueError as error:
            raise DataError(
                f"{entry.where}.mask: {error}",
                "draw the mask again, or leave such shapes out with --skip-bad",
            ) from error
        return mask_in_box(mask, left, top)(size)

    return draw


def _with_identity(videos: list[VideoLabels]) -> Iterator[VideoLabels]:
    """Group ids are tracks only if each of them has one label throughout the video."""
    for video in videos:
        labels: dict[str, set[str]] = defaultdict(set)
        for frame in video.frames:
            for shape in frame.shapes:
                if shape.track is not None:
                    labels[shape.track].add(shape.category)
        if all(len(found) == 1 for found in labels.values()):
            yield video
            continue
        frames = [
            FrameLabels(frame.key, tuple(map(_anonymous, frame.shapes)), frame.empty, frame.listed)
            for frame in video.frames
        ]
        yield VideoLabels(video.name, tuple(frames), video.length)


def _anonymous(shape: Shape) -> Shape:
    return Shape(
        shape.category,
        shape.draw,
        shape.place,
        shape.kind,
        part_of=shape.part_of,
        score=shape.score,
        attributes=shape.attributes,
    )


def write_labelme(annotations: Annotations, *, masks: bool) -> Iterator[tuple[str, str]]:
    """A file for each frame: its name, and its text.

    Args:
        annotations: the frames; sizes are known. Several videos get a folder each.
        masks: LabelMe's mask shapes, which hold any mask; else X-AnyLabeling's polygons, one for each part,
            whose holes are lost.
    """
    several = len(annotations.videos) > 1
    for video in annotations.videos:
        for frame in video.frames:
            shapes = [
                written
                for shape in frame.shapes
                for written in _written(shape, shape.draw(frame.key.known_size), masks=masks)
            ]
            text: dict[str, Any] = {
                "version": "5.5.0" if masks else "4.0.0",
                "flags": {},
                "shapes": shapes,
                "imagePath": PurePosixPath(frame.key.name).name,
                "imageData": None,
                "imageHeight": frame.key.known_size[0],
                "imageWidth": frame.key.known_size[1],
            }
            folder = f"{video.name}/" if several and video.name else ""
            yield f"{folder}{frame.key.stem}.json", json.dumps(text, ensure_ascii=False, indent=1) + "\n"


def _written(shape: Shape, mask: MaskArray, *, masks: bool) -> Iterable[dict[str, Any]]:
    if not mask.any():
        return []
    group = shape.number
    if not masks:
        return [_polygon(shape, part, group) for part in trace_parts(mask)]
    box, left, top = cut_out(mask)
    return [
        {
            "label": shape.category,
            "points": [[left, top], [left + box.shape[1] - 1, top + box.shape[0] - 1]],
            "mask": to_base64(bilevel_png(box)),
            "group_id": group,
            "description": "",
            "shape_type": "mask",
            "flags": {},
        }
    ]


def _polygon(shape: Shape, part: Part, group: int | None) -> dict[str, Any]:
    # PIL's rule takes the outline in, so the ring runs through the outermost pixels, not around them.
    return {
        "label": shape.category,
        "score": shape.score,
        "points": inner_ring(part),
        "group_id": group,
        "description": None,
        "difficult": False,
        "shape_type": "polygon",
        "flags": {},
        "attributes": {},
        "kie_linking": [],
    }


def inner_ring(part: Part) -> list[list[int]]:
    """The outline of a part through the centres of its border pixels, for rules that take outlines in.

    Every edge lies half a pixel inside its pixel-edge ring; integer coordinates are pixel centres.
    """
    corners = part.outline
    points: list[list[int]] = []
    for before, here, after in zip(
        corners[-1:] + corners[:-1], corners, corners[1:] + corners[:1], strict=True
    ):
        x, y = here
        # Right of the way lies the mask: along the top edge the pixel row is y, along the bottom edge y - 1.
        for start, end in ((before, here), (here, after)):
            if start[1] == end[1]:
                y = here[1] if end[0] > start[0] else here[1] - 1
            else:
                x = here[0] - 1 if end[1] > start[1] else here[0]
        if not points or points[-1] != [x, y]:
            points.append([x, y])
    return points if len(points) > 2 else (points * 3)[:3]
