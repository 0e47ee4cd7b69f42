"""COCO instances: images, categories, and areas as `coco_areas` reads them.

Facts: cocoapi's `mask.py` and `maskApi.c`; `iscrowd` says nothing about the encoding (cocoapi#135, #659), the
type of `segmentation` does. Identity over frames is no part of COCO; the entries that tools use for it are
`track_id`, `instance_id`, `object_id`, and `attributes.track_id`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from vsodtool.media.annotations.formats.coco_areas import read_box, read_segmentation
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
from vsodtool.media.annotations.rings import flat, one_ring, trace_parts
from vsodtool.media.annotations.runs import transposed
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_TRACKS = ("track_id", "instance_id", "object_id")
_FRAMES = ("frame_id", "frame_index")


def read_coco(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read COCO files; several (`instances_train.json`, `instances_val.json`) are read one after the other.

    Raises:
        DataError: an entry is missing, of another type, refers to nothing, or cannot be drawn.
    """
    videos: list[VideoLabels] = []
    categories: dict[str, Category] = {}
    left_out: Counter[str] = Counter()
    for name in names:
        reader = _Reader(load_json(source, name), options)
        videos += reader.videos()
        categories |= {category.name: category for category in reader.categories.values()}
        left_out += reader.left_out
    return Annotations(str(source.path), "coco", tuple(videos), tuple(categories.values()), left_out)


class _Reader:
    def __init__(self, tree: Tree, options: ReadOptions) -> None:
        self._tree, self._options = tree, options
        self.left_out: Counter[str] = Counter()
        self.categories: dict[str, Category] = {}
        for entry in tree["categories"]:
            name, number = entry["name"].text(), entry["id"].text()
            if number in self.categories:
                raise entry["id"].refused(
                    f"an id of its own, {number} is taken by {self.categories[number].name}"
                )
            self.categories[number] = Category(name, source_id=number)

    def videos(self) -> list[VideoLabels]:
        images: dict[str, Tree] = {}
        for entry in self._tree["images"]:
            number = entry["id"].text()
            if number in images:
                raise entry["id"].refused("an id of its own for each image")
            images[number] = entry
        keys = {number: _frame_key(entry) for number, entry in images.items()}
        shapes: dict[str, list[Shape]] = defaultdict(list)
        for entry in self._tree["annotations"]:
            number = entry["image_id"].text()
            if number not in images:
                raise entry["image_id"].refused("the id of one of the images")
            size = keys[number].size
            shape = self._options.attempt(self.left_out, self._shape, entry, size)
            if shape is not None:
                shapes[number].append(shape)
        names = {entry["id"].text(): entry["name"].text() for entry in self._tree.get("videos") or ()}
        frames: dict[str, list[FrameLabels]] = {}
        for number, entry in images.items():
            video = entry.get("video_id")
            if video is not None and names and video.text() not in names:
                raise video.refused("the id of one of the videos")
            title = names.get(video.text(), "") if video is not None else ""
            frames.setdefault(title, []).append(FrameLabels(keys[number], tuple(shapes[number])))
        return [VideoLabels(title, tuple(found)) for title, found in frames.items()]

    def _shape(self, entry: Tree, size: Size | None) -> Shape | None:
        category = entry["category_id"].text()
        if category not in self.categories:
            raise entry["category_id"].refused("the id of one of the categories")
        drawn = self._draw(entry, size)
        if drawn is None:
            return None
        score = entry.get("score")
        return Shape(
            self.categories[category].name,
            drawn[1],
            entry.where,
            drawn[0],
            track=_track(entry),
            score=None if score is None else score.number(),
            attributes=_attributes(entry),
        )

    def _draw(self, entry: Tree, size: Size | None) -> tuple[ShapeKind, Draw] | None:
        segmentation = entry.get("segmentation")
        place = entry.where
        if segmentation is None or segmentation.value == []:
            box = entry.get("bbox")
            if box is None or not self._options.boxes:
                self.left_out["box" if box is not None else "without a shape"] += 1
                return None
            return "box", read_box(box, place)
        kind: ShapeKind = "mask" if isinstance(segmentation.value, dict) else "polygon"
        return kind, read_segmentation(segmentation, size, place)


def write_coco(annotations: Annotations, *, polygons: bool) -> Iterator[str]:
    """COCO as text, piece by piece; run-length codes are compressed, polygons have holes as cuts.

    `track_id` stands at the top level: CVAT makes a track of what has it in `attributes`, and a track of
    masks breaks its job (cvat#6264).

    Args:
        annotations: what to write; sizes of frames are known.
        polygons: rings instead of run-length codes.
    """
    numbers = {category.name: place for place, category in enumerate(annotations.categories, 1)}
    titled = [video for video in annotations.videos if video.name]
    videos = {video.name: place for place, video in enumerate(titled, 1)}
    images: list[dict[str, Any]] = []
    drawn: list[tuple[int, FrameLabels]] = []
    offset = 0
    for video in annotations.videos:
        last = offset
        for place, frame in enumerate(video.frames):
            number = frame.key.number_or(place)
            height, width = frame.key.known_size
            image: dict[str, Any] = {
                "id": offset + number + 1,
                "file_name": frame.key.name,
                "width": width,
                "height": height,
            }
            if video.name:
                image |= {"video_id": videos[video.name], "frame_id": number}
            images.append(image)
            drawn.append((offset + number + 1, frame))
            last = max(last, offset + number + 1)
        offset = last
    head = {
        "info": {"description": "vsodtool"},
        "licenses": [],
        "videos": [{"id": number, "name": name} for name, number in videos.items()],
        "images": images,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in numbers.items()],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": ['
    entries = _entries(drawn, numbers, polygons=polygons)
    for place, entry in enumerate(entries, 1):
        yield (",\n" if place > 1 else "\n") + json.dumps({"id": place} | entry, ensure_ascii=False)
    yield "\n]}\n"


def _entries(
    drawn: Iterable[tuple[int, FrameLabels]], numbers: dict[str, int], *, polygons: bool
) -> Iterator[dict[str, Any]]:
    from pycocotools import mask as coco

    for image, frame in drawn:
        for shape in frame.shapes:
            mask = shape.draw(frame.key.known_size)
            code = coco.encode(transposed(mask).view(np.uint8).T)
            area = int(coco.area(code))
            if not area:
                continue
            if polygons:
                segmentation: Any = [flat(one_ring([part])) for part in trace_parts(mask)]
            else:
                segmentation = {"size": list(mask.shape), "counts": code["counts"].decode("ascii")}
            entry: dict[str, Any] = {"image_id": image, "category_id": numbers[shape.category]}
            if shape.number is not None:
                entry["track_id"] = shape.number
            entry |= {
                "segmentation": segmentation,
                "area": area,
                "bbox": list(map(int, coco.toBbox(code))),
                "iscrowd": 0,
            }
            yield entry if shape.score is None else entry | {"score": shape.score}


def _frame_key(entry: Tree) -> FrameKey:
    number = next((entry[key] for key in _FRAMES if key in entry), None)
    size = None
    if "width" in entry or "height" in entry:
        size = (entry["height"].whole(1, 2**20), entry["width"].whole(1, 2**20))
    return FrameKey(entry["file_name"].text(), None if number is None else number.whole(0), size)


def _track(entry: Tree) -> str | None:
    attributes = entry.get("attributes")
    places = [entry, attributes] if attributes is not None and isinstance(attributes.value, dict) else [entry]
    return next((place[key].text() for place in places for key in _TRACKS if key in place), None)


def _attributes(entry: Tree) -> dict[str, str]:
    attributes = entry.get("attributes")
    if attributes is None or not isinstance(attributes.value, dict):
        return {}
    return {key: str(value.value) for key, value in attributes.items()}
