"""YouTube-VIS: an entry for each object of a video, with a segmentation (or null) for each frame."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from vsodtool.checks import whole_number
from vsodtool.media.annotations.formats.coco_areas import bounding_box, encode_rle, read_segmentation
from vsodtool.media.annotations.json_tree import Tree, load_json
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size


def read_youtube_vis(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read a file of videos.

    Raises:
        DataError: an entry is missing, refers to nothing, or has another number of frames than its video.
    """
    left_out: Counter[str] = Counter()
    videos: list[VideoLabels] = []
    categories: dict[str, Category] = {}
    for name in names:
        tree = load_json(source, name)
        named = {entry["id"].text(): entry["name"].text() for entry in tree["categories"]}
        categories |= {title: Category(title, source_id=number) for number, title in named.items()}
        objects: dict[str, list[Tree]] = defaultdict(list)
        for entry in tree.get("annotations") or ():
            if entry["category_id"].text() not in named:
                raise entry["category_id"].refused("the id of one of the categories")
            objects[entry["video_id"].text()].append(entry)
        known = {entry["id"].text(): entry for entry in tree["videos"]}
        for number, entries in objects.items():
            if number not in known:
                raise entries[0]["video_id"].refused("the id of one of the videos")
        videos += [
            _read_video(entry, objects[number], named, options, left_out) for number, entry in known.items()
        ]
    return Annotations(str(source.path), "youtube-vis", tuple(videos), tuple(categories.values()), left_out)


def _read_video(
    entry: Tree, objects: list[Tree], named: dict[str, str], options: ReadOptions, left_out: Counter[str]
) -> VideoLabels:
    size: Size = (entry["height"].whole(1, 2**20), entry["width"].whole(1, 2**20))
    files = [name.text() for name in entry["file_names"]]
    drawn: list[list[Shape]] = [[] for _ in files]
    stated = [thing["track_id"].text() for thing in objects if "track_id" in thing]
    own = "track_id" if len(set(stated)) == len(objects) else "id"
    for thing in objects:
        segmentations = list(thing["segmentations"])
        if len(segmentations) != len(files):
            raise thing["segmentations"].refused(
                f"{len(files)} of them, one for each frame of the video ({len(segmentations)} found)"
            )
        for place, segmentation in enumerate(segmentations):
            if segmentation.value in (None, []):
                continue
            where = segmentation.where
            draw = options.attempt(left_out, read_segmentation, segmentation, size, where)
            if draw is not None:
                drawn[place].append(
                    Shape(named[thing["category_id"].text()], draw, where, track=thing[own].text())
                )
    frames = [
        FrameLabels(FrameKey(name, None, size), tuple(shapes))
        for name, shapes in zip(files, drawn, strict=True)
    ]
    folder = files[0].replace("\\", "/").rpartition("/")[0] if files else ""
    return VideoLabels(folder.rpartition("/")[2], tuple(frames))


def write_youtube_vis(annotations: Annotations) -> Iterator[str]:
    """Videos, then an entry for each object, piece by piece; counts as lists, as in the official files."""
    numbers = {category.name: place for place, category in enumerate(annotations.categories, 1)}
    videos = []
    for place, video in enumerate(annotations.videos, 1):
        height, width = video.frames[0].key.known_size if video.frames else (0, 0)
        folder = f"{video.name}/" if video.name else ""
        names = [f"{folder}{frame.key.name.removeprefix(folder)}" for frame in video.frames]
        videos.append(
            {"id": place, "width": width, "height": height, "length": len(names), "file_names": names}
        )
    head = {
        "info": {},
        "licenses": [],
        "videos": videos,
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in numbers.items()],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": ['
    entry_number = 0
    for place, video in enumerate(annotations.videos, 1):
        tracks = {
            shape.track or shape.category: shape.category for frame in video.frames for shape in frame.shapes
        }
        ids = [whole_number(track) for track in tracks]
        # Ids are those of the file; where the objects' own are others they are told beside.
        told = None not in ids and ids != list(range(entry_number + 1, entry_number + 1 + len(ids)))
        for number, (track, category) in zip(ids, tracks.items(), strict=True):
            entry_number += 1
            entry = {"id": entry_number, "video_id": place, "category_id": numbers[category], "iscrowd": 0}
            if told and number is not None:
                entry["track_id"] = number
            text = json.dumps(entry | _object(video, track), ensure_ascii=False)
            yield (",\n" if entry_number > 1 else "\n") + text
    yield "\n]}\n"


def _object(video: VideoLabels, track: str) -> dict[str, Any]:
    height, width = video.frames[0].key.known_size
    found: dict[str, Any] = {"width": width, "height": height, "length": len(video.frames)}
    found |= {"segmentations": [], "areas": [], "bboxes": []}
    for frame in video.frames:
        mask = next(
            (
                shape.draw(frame.key.known_size)
                for shape in frame.shapes
                if (shape.track or shape.category) == track
            ),
            None,
        )
        there = mask is not None and bool(mask.any())
        found["segmentations"].append(encode_rle(mask) if mask is not None and there else None)
        found["areas"].append(int(mask.sum()) if mask is not None and there else None)
        found["bboxes"].append(bounding_box(mask) if mask is not None and there else None)
    return found
