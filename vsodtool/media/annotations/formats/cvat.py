"""CVAT XML 1.1, for images and for video: masks, polygons, ellipses; boxes on request. Reading it.

Facts: CVAT's `dataset_manager` (`formats/cvat.py`, `formats/transformations.py`). The runs of a `<mask>` go
along the rows within its box, not down the columns of the image as COCO's do (cvat#4723, #6487, #8124).
`id` and `frame` are absolute numbers of frames, counted from 0. In tracks, shapes without `keyframe` are
CVAT's interpolation, and `outside` ends a track: CVAT writes every single drawing as a track of two shapes,
the second one outside, so that taking it for "nothing here" would put a false negative beside every mask.
"""

from __future__ import annotations

import io
import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

import numpy as np

from vsodtool.errors import DataError
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
from vsodtool.media.annotations.runs import MaskArray, decode_runs
from vsodtool.media.annotations.shapes import box_ring, coco_polygon, ellipse_ring, mask_in_box
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_AREAS: dict[str, ShapeKind] = {"mask": "mask", "polygon": "polygon", "ellipse": "ellipse", "box": "box"}
_OTHERS = ("polyline", "points", "cuboid", "skeleton")
_MEND = "export it again, or leave such shapes out with --skip-bad"


def detect_cvat(source: Source) -> tuple[str, ...]:
    """The XML files of a source whose root is CVAT's.

    Raises:
        DataError: a file cannot be read, or is the XML of another tool, which holds no masks.
    """
    found = []
    for name in source.files_of(".xml"):
        root = re.search(rb"<\s*([A-Za-z_]\w*)", re.sub(rb"<[?!][^>]*>", b"", source.read(name)[:4096]))
        if root is None:
            continue
        if root[1] == b"annotations":
            found.append(name)
        elif root[1] == b"annotation":
            raise DataError(
                f"{source.place(name)}: expected CVAT's XML, found that of Pascal VOC or LabelMe's web tool, "
                f"which holds boxes and no masks",
                "export masks: CVAT 1.1, COCO 1.0 or Segmentation mask 1.1",
            )
    return tuple(found)


def read_cvat(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read CVAT XML, one file or the several of a project's export.

    Raises:
        DataError: it is no XML, holds a document type, or a shape cannot be read.
    """
    videos: list[VideoLabels] = []
    categories: dict[str, Category] = {}
    left_out: Counter[str] = Counter()
    for name in names:
        reader = _Reader(source.place(name), options)
        reader.run(source.read(name))
        videos += reader.videos()
        categories |= {category.name: category for category in reader.categories}
        left_out += reader.left_out
    return Annotations(str(source.path), "cvat", tuple(videos), tuple(categories.values()), left_out)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A shape of a track in one frame."""

    shape: Shape
    key_frame: bool


class _Reader:
    def __init__(self, file: str, options: ReadOptions) -> None:
        self._file, self._options = file, options
        self.left_out: Counter[str] = Counter()
        self.categories: list[Category] = []
        self._titles: dict[str, str] = {}  # task id -> its name; "" for the only one
        self._files: dict[str, str] = {}  # task id -> its video file
        self._sizes: dict[str, Size] = {}  # task id -> size of its video
        self._lengths: dict[str, int] = {}  # task id -> number of its images; not where it shows a video
        self._images: dict[str, dict[str, FrameLabels]] = defaultdict(dict)  # task -> name -> frame
        self._tracks: dict[str, dict[int, list[_Drawn]]] = defaultdict(lambda: defaultdict(list))

    def run(self, data: bytes) -> None:
        from defusedxml.common import DefusedXmlException
        from defusedxml.ElementTree import iterparse

        depth = 0
        try:
            for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
                depth += 1 if event == "start" else -1
                if depth == 1 and event == "start" and element.tag != "annotations":
                    raise self._refused("the file", "<annotations>", f"<{element.tag}>", "export CVAT 1.1")
                # Children of the root, whole: an image, a track or the head; memory does not grow.
                if depth == 1 and event == "end":
                    self._take(element)
                    element.clear()
        except DefusedXmlException as error:
            raise self._refused(
                "the file", "XML without a document type", "a DOCTYPE", "remove it"
            ) from error
        except (ParseError, LookupError, ValueError) as error:
            raise self._refused("the file", "XML", f"damage: {error}", "export it again") from error

    def videos(self) -> list[VideoLabels]:
        found = []
        for task in {**self._images, **self._tracks}:
            frames = list(self._images.get(task, {}).values()) + self._track_frames(task)
            title = self._titles.get(task, self._titles.get("", ""))
            file = self._files.get(task, self._files.get("", ""))
            # Tracks have no names of images: their numbers are frames only if the images are all of them.
            length = self._lengths.get(task, self._lengths.get("")) if task in self._tracks else None
            found.append(VideoLabels(title, tuple(frames), length, file=file))
        return found

    def _take(self, element: Element) -> None:
        if element.tag == "meta":
            self._take_meta(element)
        elif element.tag == "image":
            self._take_image(element)
        elif element.tag == "track":
            self._take_track(element)

    def _take_meta(self, meta: Element) -> None:
        for label in meta.iter("label"):
            name = (label.findtext("name") or "").strip()
            self.categories.append(Category(name, label.findtext("color") or ""))
        # A task, the tasks of a project, or a job, which has neither a name nor a number of its task.
        tasks = list(meta.iter("task")) or list(meta.iter("job"))
        for task in tasks:
            keys = ["", task.findtext("id") or ""] if len(tasks) == 1 else [task.findtext("id") or ""]
            size = task.find("original_size")
            for key in keys:
                self._titles[key] = task.findtext("name") or ""
                self._files[key] = task.findtext("source") or ""
                length = task.findtext("size")
                if length and task.tag == "task" and task.findtext("mode") == "annotation":
                    self._lengths[key] = self._whole({"size": length}, "size", "task", 1)
                if size is not None:
                    sides = {child.tag: child.text or "" for child in size}
                    self._sizes[key] = (
                        self._whole(sides, "height", "original_size", 1),
                        self._whole(sides, "width", "original_size", 1),
                    )

    def _take_image(self, image: Element) -> None:
        name = image.get("name", "")
        place = f"image '{name}'"
        size = (self._whole(image.attrib, "height", place, 1), self._whole(image.attrib, "width", place, 1))
        key = FrameKey(name, self._whole(image.attrib, "id", place), size, in_task=True)
        shapes = [self._shape(child, place, child.get("label")) for child in image if child.tag != "tag"]
        empty = any(
            child.tag == "tag" and child.get("label", "").lower() in self._options.empty_tags
            for child in image
        )
        frame = FrameLabels(key, tuple(shape for shape in shapes if shape is not None), empty=empty)
        known = self._images[image.get("task_id", "")]
        earlier = known.get(name)
        if earlier is not None and not _alike(earlier, frame, size):
            raise self._refused(
                place, "one entry for an image, or equal ones", "two that differ", "remove one"
            )
        known[name] = frame

    def _take_track(self, track: Element) -> None:
        number, label = track.get("id", ""), track.get("label")
        visible: dict[int, _Drawn] = {}
        for child in track:
            place = f"track {number}, frame {child.get('frame')}"
            frame = self._whole(child.attrib, "frame", place)
            if child.get("outside") == "1":
                continue
            shape = self._shape(child, place, label, track=number)
            if shape is not None:
                visible[frame] = _Drawn(shape, child.get("keyframe", "1") == "1")
        alone = sum(drawn.key_frame for drawn in visible.values()) == 1 and len(visible) == 1
        for frame, drawn in visible.items():
            # A track of one drawing is how CVAT writes a shape: its id says nothing about other frames.
            shape = drawn.shape if not alone else _without_track(drawn.shape)
            self._tracks[track.get("task_id", "")][frame].append(_Drawn(shape, drawn.key_frame))

    def _track_frames(self, task: str) -> list[FrameLabels]:
        found = []
        for number, drawn in sorted(self._tracks.get(task, {}).items()):
            if not any(one.key_frame for one in drawn):
                self.left_out["interpolated by CVAT alone in its frame"] += len(drawn)
                continue
            kept = [one.shape for one in drawn if one.key_frame or self._options.interpolated]
            self.left_out["interpolated"] += len(drawn) - len(kept)
            size = self._sizes.get(task, self._sizes.get(""))
            found.append(FrameLabels(FrameKey("", number, size), tuple(kept)))
        return found

    def _shape(
        self, element: Element, place: str, label: str | None, track: str | None = None
    ) -> Shape | None:
        kind = element.tag
        if kind not in _AREAS:
            self.left_out[kind if kind in _OTHERS else f"<{kind}>"] += 1
            return None
        if kind == "box" and not self._options.boxes:
            self.left_out["box"] += 1
            return None
        if not label:
            raise self._refused(f"{place}, {kind}", "a label", "none", _MEND)
        attributes = {
            child.get("name", ""): (child.text or "").strip() for child in element.iter("attribute")
        }
        if track is None:
            group = element.get("group_id", "0")
            track = attributes.get("track_id") or (group if group not in ("", "0") else None)
        drawn = self._options.attempt(self.left_out, self._draw_at, element, place)
        if drawn is None:
            return None
        draw, z = drawn
        return Shape(
            label, draw, f"{self._file}: {place}", _AREAS[kind], track=track, z=z, attributes=attributes
        )

    def _draw_at(self, element: Element, place: str) -> tuple[Draw, int]:
        """What an element draws, and its z."""
        draw = self._draw(element, f"{place}, {element.tag}")
        return draw, self._whole(element.attrib, "z_order", place) if "z_order" in element.attrib else 0

    def _draw(self, element: Element, place: str) -> Draw:
        values, where = element.attrib, f"{self._file}: {place}"
        if element.tag == "mask":
            return self._mask(values, place)
        if element.tag == "polygon":
            return coco_polygon([self._points(values, place)], where)
        turned = self._number(values, "rotation", place) if "rotation" in values else 0.0
        if element.tag == "ellipse":
            cx, cy, rx, ry = (self._number(values, key, place) for key in ("cx", "cy", "rx", "ry"))
            return coco_polygon([ellipse_ring((cx, cy), (rx, ry), turned)], where)
        edges = [self._number(values, key, place) for key in ("xtl", "ytl", "xbr", "ybr")]
        return coco_polygon([box_ring(edges[0], edges[1], edges[2], edges[3], turned)], where)

    def _mask(self, values: Mapping[str, str], place: str) -> Draw:
        left, top = self._whole(values, "left", place), self._whole(values, "top", place)
        width, height = self._whole(values, "width", place, 1), self._whole(values, "height", place, 1)
        text = values.get("rle", "")

        def draw(size: Size) -> MaskArray:
            try:
                runs = [int(float(run)) for run in text.split(",")]
                box = decode_runs(runs, (height, width), "rows")
            except (ValueError, OverflowError) as error:
                raise self._bad_runs(text, place, (height, width), size) from error
            return mask_in_box(box, left, top)(size)

        return draw

    def _bad_runs(self, text: str, place: str, box: Size, size: Size) -> DataError:
        try:
            found = f"{sum(int(float(run)) for run in text.split(','))} pixels in its runs"
        except (ValueError, OverflowError):
            return self._refused(place, "runs: numbers with commas between", repr(text[:40]), _MEND)
        hint = _MEND
        if found.startswith(f"{size[0] * size[1]} "):
            hint = "these look like COCO's runs, which cover the whole image; CVAT's cover the box"
        return self._refused(place, f"{box[0] * box[1]} pixels in the box", found, hint)

    def _points(self, values: Mapping[str, str], place: str) -> list[float]:
        try:
            pairs = [pair.split(",") for pair in values.get("points", "").split(";") if pair]
            return [float(number) for x, y in pairs for number in (x, y)]
        except ValueError as error:
            raise self._refused(
                place, "points x,y;x,y", repr(values.get("points", "")[:40]), _MEND
            ) from error

    def _number(self, values: Mapping[str, str], key: str, place: str) -> float:
        try:
            number = float(values[key])
        except KeyError as error:
            raise self._refused(place, f"the attribute '{key}'", "none", _MEND) from error
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or abs(number) > 2**31:
            raise self._refused(place, f"a finite number as '{key}'", repr(values[key]), _MEND)
        return number

    def _whole(self, values: Mapping[str, str], key: str, place: str, least: int | None = None) -> int:
        number = self._number(values, key, place)
        most = 2**20 if least is not None else 2**31
        if number != int(number) or not (-most if least is None else least) <= number <= most:
            raise self._refused(place, f"a whole number as '{key}'", repr(values[key]), _MEND)
        return int(number)

    def _refused(self, place: str, expected: str, found: str, hint: str) -> DataError:
        return DataError(f"{self._file}: {place}: expected {expected}, found {found}", hint)


def _without_track(shape: Shape) -> Shape:
    return Shape(shape.category, shape.draw, shape.place, shape.kind, z=shape.z, attributes=shape.attributes)


def _alike(first: FrameLabels, second: FrameLabels, size: Size) -> bool:
    """Whether two entries about one image say the same, as those of overlapping jobs do."""
    if len(first.shapes) != len(second.shapes) or first.key != second.key:
        return False
    return all(
        one.category == other.category and np.array_equal(one.draw(size), other.draw(size))
        for one, other in zip(first.shapes, second.shapes, strict=True)
    )
