"""Supervisely, images and video: bitmaps (PNG in zlib in base64) with an origin, polygons with holes.

Facts: the SDK's `Bitmap.base64_2_data`: the mask is the alpha channel or, without one, what is not 0; older
data lack the zlib.
"""

from __future__ import annotations

import io
import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
from PIL import Image

from vsodtool.checks import whole_number
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
from vsodtool.media.annotations.pictures import (
    from_base64,
    has_transparency,
    inflate,
    nonzero,
    opaque,
    open_png,
    to_base64,
)
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import box_ring, coco_polygon, cut_out, mask_in_box, of_size
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_LARGEST_ID = 65535
_KINDS: dict[str, ShapeKind] = {"bitmap": "mask", "polygon": "polygon", "rectangle": "box"}
_VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v")


def detect_supervisely(source: Source) -> tuple[str, ...]:
    """The JSON files below `ann/` of a source."""
    return tuple(name for name in source.files_of(".json") if "ann" in PurePosixPath(name).parts[:-1])


def read_supervisely(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read the files of `ann/` folders.

    Raises:
        DataError: an entry is missing, refers to nothing, or cannot be read.
    """
    reader = _Reader(options)
    frames: dict[str, list[FrameLabels]] = defaultdict(list)
    videos: list[VideoLabels] = []
    for name in names:
        tree = load_json(source, name)
        path = PurePosixPath(name)
        if "frames" in tree:
            videos.append(reader.video(tree, path.stem))
        else:
            dataset = path.parent.parent.name
            frames[dataset].append(reader.image(tree, path.stem))
    videos += [VideoLabels(dataset, tuple(found)) for dataset, found in frames.items()]
    categories = _categories(source) or tuple(Category(name) for name in reader.names)
    return Annotations(str(source.path), "supervisely", tuple(videos), categories, reader.left_out)


def _categories(source: Source) -> tuple[Category, ...]:
    meta = next((name for name in source.names if PurePosixPath(name).name == "meta.json"), None)
    if meta is None:
        return ()
    return tuple(
        Category(entry["title"].text(), entry["color"].text().lower() if "color" in entry else "")
        for entry in load_json(source, meta)["classes"]
    )


class _Reader:
    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self.left_out: Counter[str] = Counter()
        self.names: dict[str, None] = {}

    def image(self, tree: Tree, name: str) -> FrameLabels:
        size = _size(tree)
        shapes = [
            self._shape(entry, entry["geometryType"].text(), entry["classTitle"].text(), size, None)
            for entry in tree["objects"]
        ]
        return FrameLabels(FrameKey(name, None, size), tuple(shape for shape in shapes if shape is not None))

    def video(self, tree: Tree, name: str) -> VideoLabels:
        size = _size(tree)
        titles = {entry["key"].text(): entry["classTitle"].text() for entry in tree["objects"]}
        # Keys are 32 hexadecimal digits: random ones, or ids in those that were written here.
        tracks = {key: str(_id_in(key) or "") for key in titles}
        if not all(tracks.values()):
            tracks = {key: str(place) for place, key in enumerate(titles, 1)}
        frames = []
        for entry in tree["frames"]:
            shapes = []
            for figure in entry["figures"]:
                key = figure["objectKey"].text()
                if key not in titles:
                    raise figure["objectKey"].refused("the key of one of the objects")
                shapes.append(
                    self._shape(
                        figure["geometry"], figure["geometryType"].text(), titles[key], size, tracks[key]
                    )
                )
            number = entry["index"].whole(0)
            drawn = tuple(shape for shape in shapes if shape is not None)
            frames.append(FrameLabels(FrameKey("", number, size), drawn))
        length = tree.get("framesCount")
        title = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in _VIDEOS else name
        return VideoLabels(title, tuple(frames), None if length is None else length.whole(0))

    def _shape(self, entry: Tree, kind: str, title: str, size: Size, track: str | None) -> Shape | None:
        self.names[title] = None
        if kind not in _KINDS:
            self.left_out[kind] += 1
            return None
        if kind == "rectangle" and not self._options.boxes:
            self.left_out["box"] += 1
            return None
        place = entry.where
        draw = self._options.attempt(self.left_out, _draw, entry, kind)
        if draw is None:
            return None
        return Shape(title, of_size(draw, size, place), place, _KINDS[kind], track=track)


def _id_in(key: str) -> int | None:
    """The id that a key holds, None for a random one."""
    try:
        number = UUID(hex=key).int
    except ValueError:
        return None
    return number if number <= _LARGEST_ID else None


def _size(tree: Tree) -> Size:
    return tree["size"]["height"].whole(1, 2**20), tree["size"]["width"].whole(1, 2**20)


def _draw(entry: Tree, kind: str) -> Draw:
    return _bitmap(entry["bitmap"]) if kind == "bitmap" else _points(entry["points"], kind)


def _bitmap(tree: Tree) -> Draw:
    origin = [value.whole(-(2**20), 2**20) for value in tree["origin"]]
    if len(origin) != 2:
        raise tree["origin"].refused("[x, y]")
    text = tree["data"].text()

    def draw(size: Size) -> MaskArray:
        try:
            data = from_base64(text)
            if not data.startswith(b"\x89PNG"):
                data = inflate(data, 64 * 1024**2)
            image = open_png(data, size)
            mask = opaque(image) if has_transparency(image) else nonzero(image)
        except ValueError as error:
            raise DataError(
                f"{tree.where}.data: {error}",
                "export it again, or leave such shapes out with --skip-bad",
            ) from error
        return mask_in_box(mask, origin[0], origin[1])(size)

    return draw


def _points(tree: Tree, kind: str) -> Draw:
    place = tree.where
    outside = _ring(tree["exterior"])
    if kind == "rectangle":
        if len(outside) != 4:
            raise tree["exterior"].refused("two corners")
        return coco_polygon([box_ring(outside[0], outside[1], outside[2], outside[3])], place)
    outer = coco_polygon([outside], place)
    holes = [coco_polygon([_ring(ring)], place) for ring in tree.get("interior") or ()]

    def draw(size: Size) -> MaskArray:
        mask = outer(size)
        for hole in holes:
            mask = mask & ~hole(size)
        return mask

    return draw


def _ring(tree: Tree) -> list[float]:
    return [value for point in tree for value in point.pair()]


def write_supervisely(annotations: Annotations, *, video: bool) -> Iterator[tuple[str, str]]:
    """The files of a project: name, text.

    Args:
        annotations: what to write; sizes are known.
        video: a file for each video, whose objects keep who they are; else a file for each image.
    """
    classes = [
        {"title": category.name, "shape": "bitmap", "color": (category.color or "#33ddff").upper()}
        for category in annotations.categories
    ]
    meta = {"classes": classes, "tags": [], "projectType": "videos" if video else "images"}
    yield "meta.json", json.dumps(meta, ensure_ascii=False, indent=1) + "\n"
    for place, labels in enumerate(annotations.videos):
        if video:
            name = labels.name or "video"
            name = name if PurePosixPath(name).suffix.lower() in _VIDEOS else f"{name}.mp4"
            yield f"ds0/ann/{name}.json", json.dumps(_video(labels), ensure_ascii=False, indent=1) + "\n"
            continue
        folder = labels.name if len(annotations.videos) > 1 and labels.name else f"ds{place}"
        for frame in labels.frames:
            size = frame.key.known_size
            objects = [
                {"classTitle": shape.category, "description": "", "tags": [], "geometryType": "bitmap"}
                | drawn
                for shape in frame.shapes
                if (drawn := _written(shape, size)) is not None
            ]
            text = {"description": "", "tags": [], "size": _sides(size), "objects": objects}
            yield (
                f"{folder}/ann/{PurePosixPath(frame.key.name).name}.json",
                json.dumps(text, ensure_ascii=False, indent=1) + "\n",
            )


def _video(labels: VideoLabels) -> dict[str, Any]:
    things = {
        shape.track or shape.category: shape.category for frame in labels.frames for shape in frame.shapes
    }
    numbers = {track: whole_number(track) or 0 for track in things}
    if not all(0 < number <= _LARGEST_ID for number in numbers.values()):
        numbers = {track: place for place, track in enumerate(things, 1)}
    keys = {track: UUID(int=number).hex for track, number in numbers.items()}
    frames = []
    for place, frame in enumerate(labels.frames):
        number = frame.key.number_or(place)
        figures = []
        for shape in frame.shapes:
            drawn = _written(shape, frame.key.known_size)
            if drawn is not None:
                key = keys[shape.track or shape.category]
                own = UUID(int=(number << 64) + int(key, 16)).hex
                figures.append({"key": own, "objectKey": key, "geometryType": "bitmap", "geometry": drawn})
        if figures:
            frames.append({"index": number, "figures": figures})
    size = labels.frames[0].key.known_size if labels.frames else (0, 0)
    return {
        "size": _sides(size),
        "description": "",
        "key": "a" * 32,
        "tags": [],
        "objects": [{"key": keys[track], "classTitle": title, "tags": []} for track, title in things.items()],
        "frames": frames,
        "framesCount": labels.length if labels.length is not None else len(labels.frames),
    }


def _written(shape: Shape, size: Size) -> dict[str, Any] | None:
    mask = shape.draw(size)
    if not mask.any():
        return None
    box, left, top = cut_out(mask)
    image = Image.fromarray(box.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=0, bits=1, optimize=0)
    data = to_base64(zlib.compress(buffer.getvalue()))
    return {"bitmap": {"origin": [left, top], "data": data}}


def _sides(size: Size) -> dict[str, int]:
    return {"height": size[0], "width": size[1]}
