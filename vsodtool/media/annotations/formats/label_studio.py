"""Label Studio's full JSON export: brushes, bitmasks, polygons and ellipses of images. Reading it.

Facts: the SDK's `brush.py` (rle-pack of RGBA), `BitmaskRegion.jsx` (PNG, black on transparent),
`VideoVectorRegion.jsx`. Regions of one label in a task are one thing: Label Studio splits them at every visit
(label-studio#3892). Frames of video are counted from 1, on a clock of the labelling configuration, not of the
file, so only `time` says which frame is meant.
"""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlparse

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.label_studio_video import BOXES, VECTORS, read_video_task
from vsodtool.media.annotations.formats.rle_pack import unpack_alpha
from vsodtool.media.annotations.json_tree import Tree, load_json
from vsodtool.media.annotations.model import (
    Annotations,
    Draw,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    ShapeKind,
    VideoLabels,
)
from vsodtool.media.annotations.pictures import from_base64, opaque, open_png
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import box_ring, coco_polygon, ellipse_ring, full_mask, of_size
from vsodtool.media.annotations.source import Source
from vsodtool.media.folders import VIDEO_SUFFIXES
from vsodtool.types import Size

_MEDIA = ("image", "img", "frame", "picture", "photo", "video", "url")
_KINDS = {
    "brush": "brush",
    "brushlabels": "brush",
    "bitmask": "brush",
    "bitmasklabels": "brush",
    "polygon": "polygon",
    "polygonlabels": "polygon",
    "ellipse": "ellipse",
    "ellipselabels": "ellipse",
    "rectangle": "box",
    "rectanglelabels": "box",
}
_NO_EXPORT = "this is JSON-MIN or another export: choose JSON when exporting"
DATA_URL = "data:image/png;base64,"


def read_label_studio(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read a full export.

    Raises:
        DataError: it is no full export, or a region cannot be read.
    """
    left_out: Counter[str] = Counter()
    frames: list[FrameLabels] = []
    videos: list[VideoLabels] = []
    for name in names:
        for task in load_json(source, name):
            found = _Task(task, options, left_out).read()
            if isinstance(found, VideoLabels):
                videos.append(found)
            elif found is not None:
                frames.append(found)
    if frames or not videos:
        videos.append(VideoLabels("", tuple(frames)))
    return Annotations(str(source.path), "label-studio", tuple(videos), left_out=left_out)


class _Task:
    """One task: one image or video, and what was said of it."""

    def __init__(self, task: Tree, options: ReadOptions, left_out: Counter[str]) -> None:
        self._task, self._options, self._left_out = task, options, left_out

    def read(self) -> FrameLabels | VideoLabels | None:
        """The labels of its image or video; None where nobody looked at it."""
        if "annotations" not in self._task or "data" not in self._task:
            raise self._task.refused("a task with data and annotations", _NO_EXPORT)
        annotation, predicted = self._chosen()
        if annotation is None:
            return None
        results = list(annotation["result"])
        names = {
            result["id"].text(): label
            for result in results
            if "id" in result and (label := _label(result)) is not None
        }
        path = PurePosixPath(self._media_path())
        if path.suffix.lower() in VIDEO_SUFFIXES or any(
            "type" in result and result["type"].value in (*VECTORS, *BOXES) for result in results
        ):
            return self._read_video(results, names)
        shapes = []
        sizes: set[Size] = set()
        for result in results:
            score = _score(annotation) if predicted else None
            shape = self._options.attempt(self._left_out, self._shape, result, names, sizes, score)
            if shape is not None:
                shapes.append(shape)
        if len(sizes) > 1:
            raise annotation["result"].refused("regions on an image of one size")
        key = FrameKey(self._media_path(), None, next(iter(sizes), None))
        return FrameLabels(key, tuple(shapes), empty=not results)

    def _read_video(self, results: list[Tree], names: dict[str, str]) -> VideoLabels:
        path, left_out = self._media_path(), self._left_out
        sound = []
        for result in results:
            alone = self._options.attempt(
                left_out, read_video_task, [result], names, path, Counter(), interpolated=True
            )
            if alone is not None:
                sound.append(result)
        return read_video_task(sound, names, path, left_out, interpolated=self._options.interpolated)

    def _chosen(self) -> tuple[Tree | None, bool]:
        """The annotation that counts: ground truth first, then the last one; a prediction if asked for."""
        found = [
            entry
            for entry in self._task["annotations"]
            if isinstance(entry.value, dict) and not entry.value.get("was_cancelled")
        ]
        if not found and any(not isinstance(entry.value, dict) for entry in self._task["annotations"]):
            raise self._task["annotations"].refused(
                "annotations with results",
                "this is JSON-MIN or a list of numbers: choose JSON when exporting",
            )
        if found:
            last = max(
                found,
                key=lambda entry: (
                    bool(entry.value.get("ground_truth")),
                    str(entry.value.get("updated_at") or ""),
                ),
            )
            return last, False
        predictions = self._task.get("predictions")
        made = [] if predictions is None else [one for one in predictions if isinstance(one.value, dict)]
        if made and self._options.predictions:
            return made[-1], True
        only = " (it has predictions: --predictions takes them)" if made else ""
        self._left_out[f"task without an annotation{only}"] += 1
        return None, False

    def _media_path(self) -> str:
        data = self._task["data"]
        texts = {key: value.text() for key, value in data.items() if isinstance(value.value, str)}
        chosen = next((texts[key] for key in _MEDIA if key in texts), None)
        if chosen is None:
            chosen = next((text for text in texts.values() if PurePosixPath(text).suffix), None)
        if chosen is None:
            raise data.refused("the path of an image or a video")
        return _path_of(chosen)

    def _shape(
        self, result: Tree, names: dict[str, str], sizes: set[Size], score: float | None
    ) -> Shape | None:
        stated = result.get("type")
        kind = _KINDS.get(stated.text() if stated is not None else "")
        if kind is None:
            if stated is None or stated.text() not in ("labels", "choices", "textarea", "rating", "relation"):
                self._left_out[stated.text() if stated is not None else "relation"] += 1
            return None
        if kind == "box" and not self._options.boxes:
            self._left_out["box"] += 1
            return None
        label = names.get(result["id"].text()) if "id" in result else _label(result)
        if label is None:
            raise result.refused("a region with a label")
        size = (result["original_height"].whole(1, 2**20), result["original_width"].whole(1, 2**20))
        turned = result.get("image_rotation")
        if turned is not None and turned.number() % 360:
            raise turned.refused("an image that was not turned", "turn the image back and save the task")
        sizes.add(size)
        place = result.where
        drawn: dict[str, ShapeKind] = {
            "brush": "mask",
            "polygon": "polygon",
            "ellipse": "ellipse",
            "box": "box",
        }
        return Shape(
            label,
            of_size(self._draw(result["value"], kind, size), size, place),
            place,
            drawn[kind],
            part_of=label,
            score=score,
        )

    def _draw(self, value: Tree, kind: str, size: Size) -> Draw:
        place = value.where
        height, width = size
        if kind == "brush":
            return _bitmap(value, size)
        if kind == "polygon":
            ring = []
            for point in value["points"]:
                x, y = point.pair("[x, y] in percent")
                ring += [x * width / 100, y * height / 100]
            return coco_polygon([ring], place)
        x, y = value["x"].number() * width / 100, value["y"].number() * height / 100
        turned = value["rotation"].number() if "rotation" in value else 0.0
        if kind == "ellipse":
            radii = (value["radiusX"].number() * width / 100, value["radiusY"].number() * height / 100)
            return coco_polygon([ellipse_ring((x, y), radii, turned)], place)
        right, bottom = x + value["width"].number() * width / 100, y + value["height"].number() * height / 100
        if turned % 360:
            raise value["rotation"].refused("a box that is not turned")
        return coco_polygon([box_ring(x, y, right, bottom)], place)


def _bitmap(value: Tree, size: Size) -> Draw:
    url = value.get("imageDataURL")
    rle = value.get("rle")
    entry = url if url is not None else rle
    if entry is None:
        raise value.refused("'rle' or 'imageDataURL'")
    if url is not None and not url.text().startswith(DATA_URL):
        raise url.refused(f"a text that begins with {DATA_URL}")
    packed = [] if rle is None else rle.value
    if not isinstance(packed, list) or not all(type(byte) is int for byte in packed):
        raise entry.refused("a list of bytes")

    def draw(frame: Size) -> MaskArray:
        try:
            if url is not None:
                mask = opaque(open_png(from_base64(url.text()[len(DATA_URL) :]), size))
            else:
                mask = unpack_alpha(packed, size)
        except ValueError as error:
            raise DataError(
                f"{entry.where}: {error}",
                "draw the region again, or leave such ones out with --skip-bad",
            ) from error
        return full_mask(mask, entry.where)(frame)

    return draw


def _label(result: Tree) -> str | None:
    """The label of a region, or of the `labels` result beside it: the first text of its list of labels."""
    value = result.get("value")
    if value is None or not isinstance(value.value, dict):
        return None
    for key, entry in value.items():
        if key.endswith("labels") and isinstance(entry.value, list) and entry.value:
            return next(iter(entry)).text()
    return None


def _score(annotation: Tree) -> float | None:
    score = annotation.get("score")
    return None if score is None else score.number()


def _path_of(text: str) -> str:
    """The path that a link means: `?d=` of local files, else the way of the URL; the key in a bucket."""
    link = urlparse(text)
    if not is_decoded(link.scheme):
        _, slash, key = text.partition("://")[2].partition("/")
        return slash + key or text
    query = parse_qs(link.query).get("d")  # decoded
    return (query[0] if query else unquote(link.path)) or text


def is_decoded(scheme: str) -> bool:
    """Whether who follows such a link decodes `%20` and takes `#`, `?`, `+` for more than letters."""
    return scheme in ("", "http", "https")
