"""Label Studio's polygons on video (`VideoVector`): key frames of vertices in percent, lines between.

Facts: `VideoVectorRegion.jsx`, `VideoVectorLabels.jsx`. Frames are counted from 1, on a clock of the
labelling configuration (`framerate=`, 25 unless set) and not of the file (label-studio#3315, #6593, PR#7027).
So `framesCount`, how many frames Label Studio saw, must be that of the video: then its clock is the file's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vsodtool.media.annotations.json_tree import Tree
from vsodtool.media.annotations.model import Draw, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.shapes import coco_polygon
from vsodtool.types import Size

VECTORS = ("videovector", "videovectorlabels")
BOXES = ("videorectangle",)


@dataclass(frozen=True)
class _Region:
    """One object: its key frames.

    Attributes:
        tree: the result, for messages.
        label: its class.
        track: its id.
        keys: number of a frame, from 0 -> its vertices in percent by their ids, None where it is gone from
            there on; in the order of the frames.
    """

    tree: Tree
    label: str
    track: str
    keys: Mapping[int, dict[str, tuple[float, float]] | None]

    def shape(self, number: int) -> Shape | None:
        """What is drawn in a frame, None if nothing is."""
        numbers = list(self.keys)
        place = bisect_right(numbers, number) - 1
        here = self.keys[numbers[place]] if place >= 0 else None
        if here is None:
            return None
        points = here
        following = self.keys[numbers[place + 1]] if place + 1 < len(numbers) else None
        if numbers[place] != number and following is not None and following.keys() == here.keys():
            share = (number - numbers[place]) / (numbers[place + 1] - numbers[place])
            points = {
                name: (x + share * (following[name][0] - x), y + share * (following[name][1] - y))
                for name, (x, y) in here.items()
            }
        where = f"{self.tree.where}, frame {number + 1}"
        ring = [value for point in points.values() for value in point]
        return Shape(self.label, _percent_polygon(ring, where), where, "polygon", track=self.track)


def read_video_task(
    results: Iterable[Tree],
    labels: Mapping[str, str],
    name: str,
    left_out: Counter[str],
    *,
    interpolated: bool,
) -> VideoLabels:
    """The key frames of a task about a video; in them, what is interpolated of other objects counts too.

    Args:
        results: of its annotation.
        labels: id of a region -> its class.
        name: path of the video.
        left_out: told of what is no closed polygon.
        interpolated: whether interpolated shapes count at all.

    Raises:
        DataError: a result is incomplete, or does not say how many frames Label Studio saw.
    """
    regions, lengths = [], set()
    for result in results:
        kind = result["type"].text() if "type" in result else ""
        if kind not in VECTORS:
            if kind in BOXES:
                left_out["box"] += 1
            continue
        region = _read_region(result, labels, left_out)
        if region is not None:
            regions.append(region)
            lengths.add(_length(result["value"]))
    if len(lengths) > 1:
        raise regions[-1].tree["value"]["framesCount"].refused("one number of frames for one video")
    frames = []
    for number in sorted({key for region in regions for key, points in region.keys.items() if points}):
        shapes = []
        for region in regions:
            shape = region.shape(number)
            if shape is None:
                continue
            if number in region.keys or interpolated:
                shapes.append(shape)
            else:
                left_out["interpolated"] += 1
        frames.append(FrameLabels(FrameKey("", number), tuple(shapes)))
    return VideoLabels(name, tuple(frames), next(iter(lengths), None))


def _length(value: Tree) -> int:
    if "framesCount" not in value:
        raise value.refused(
            "framesCount, how many frames Label Studio saw",
            "its frames are counted on a clock of its own: label exported frames, as images",
        )
    return value["framesCount"].whole(1)


def _read_region(result: Tree, labels: Mapping[str, str], left_out: Counter[str]) -> _Region | None:
    track = result["id"].text()
    if track not in labels:
        raise result.refused("a region with a label")
    keys: dict[int, dict[str, tuple[float, float]] | None] = {}
    for entry in sorted(result["value"]["sequence"], key=lambda entry: entry["frame"].whole(1)):
        number = entry["frame"].whole(1) - 1
        if number in keys:
            raise entry["frame"].refused("each key frame once")
        if "enabled" in entry and not entry["enabled"].value:
            keys[number] = None
            continue
        vertices = list(entry["vertices"])
        if "closed" in entry and not entry["closed"].value:
            left_out["open line"] += 1
            return None
        points = {
            vertex["id"].text() if "id" in vertex else str(place): (
                vertex["x"].number(),
                vertex["y"].number(),
            )
            for place, vertex in enumerate(vertices)
        }
        if len(points) < 3:
            raise entry["vertices"].refused(
                "a polygon of at least 3 points", "remove the region, or leave such ones out with --skip-bad"
            )
        keys[number] = points
    return _Region(result, labels[track], track, keys)


def _percent_polygon(ring: list[float], place: str) -> Draw:
    def draw(size: Size) -> MaskArray:
        height, width = size
        scaled = [value * (height if at % 2 else width) / 100 for at, value in enumerate(ring)]
        return coco_polygon([scaled], place)(size)

    return draw
