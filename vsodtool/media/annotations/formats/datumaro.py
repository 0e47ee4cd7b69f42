"""Datumaro's own JSON: items with masks as run-length codes and polygons. Read only.

Facts: datumaro's `plugins/data_formats/datumaro/base.py`. Who is who over the frames is said by
`attributes.track_id`, which CVAT's import drops (cvat#4741).
"""

from __future__ import annotations

from collections import Counter

from vsodtool.media.annotations.formats.coco_areas import read_box, rle_mask
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
from vsodtool.media.annotations.shapes import coco_polygon
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_KINDS: dict[str, ShapeKind] = {"mask": "mask", "polygon": "polygon", "bbox": "box"}


def read_datumaro(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read files of items.

    Raises:
        DataError: an entry is missing, refers to nothing, or cannot be read.
    """
    left_out: Counter[str] = Counter()
    frames: list[FrameLabels] = []
    titles: list[str] = []
    for name in names:
        tree = load_json(source, name)
        own = [label["name"].text() for label in tree["categories"]["label"]["labels"]]
        titles += own
        frames += [_read_item(item, own, options, left_out) for item in tree["items"]]
    categories = tuple(map(Category, dict.fromkeys(titles)))
    return Annotations(str(source.path), "datumaro", (VideoLabels("", tuple(frames)),), categories, left_out)


def _read_item(item: Tree, titles: list[str], options: ReadOptions, left_out: Counter[str]) -> FrameLabels:
    image, attributes = item.get("image"), item.get("attr")
    size: Size | None = None
    name = f"{item['id'].text()}.jpg"
    if image is not None:
        sides = [side.whole(1, 2**20) for side in image.get("size") or ()]
        size = (sides[0], sides[1]) if len(sides) == 2 else None
        name = image["path"].text() if "path" in image and image["path"].text() else name
    number = attributes["frame"].whole(0) if attributes is not None and "frame" in attributes else None
    shapes = []
    for entry in item["annotations"]:
        kind = entry["type"].text()
        if kind not in _KINDS or (kind == "bbox" and not options.boxes):
            left_out["box" if kind == "bbox" else kind] += 1
            continue
        label = entry["label_id"].whole()
        if not 0 <= label < len(titles):
            raise entry["label_id"].refused("the place of one of the labels")
        draw = options.attempt(left_out, _draw, entry, kind, size)
        if draw is None:
            continue
        place = entry.where
        known = entry.get("attributes")
        said = {key: str(value.value) for key, value in known.items()} if known is not None else {}
        z = entry["z_order"].whole(-(2**31), 2**31) if "z_order" in entry else 0
        shapes.append(
            Shape(titles[label], draw, place, _KINDS[kind], track=said.get("track_id"), z=z, attributes=said)
        )
    return FrameLabels(FrameKey(name, number, size, in_task=True), tuple(shapes))


def _draw(entry: Tree, kind: str, size: Size | None) -> Draw:
    place = entry.where
    if kind == "mask":
        return rle_mask(entry["rle"], size)
    if kind == "polygon":
        return coco_polygon([entry["points"].numbers()], place)
    return read_box(entry["bbox"], place)
