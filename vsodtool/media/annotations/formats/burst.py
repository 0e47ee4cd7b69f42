"""BURST: tracks of run-length codes, frame by frame of the images that were annotated.

Facts: the format page of BURST-benchmark. `rle` is COCO's compressed text alone, its size
that of the sequence. An annotated image without an object says "nothing here".
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from vsodtool.media.annotations.formats.coco_areas import compressed_counts, counts_mask
from vsodtool.media.annotations.json_tree import EXPORT_AGAIN, Tree, load_json
from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    Draw,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size


def read_burst(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read files of sequences.

    Raises:
        DataError: an entry is missing, refers to nothing, or cannot be read.
    """
    left_out: Counter[str] = Counter()
    videos: list[VideoLabels] = []
    categories: dict[str, Category] = {}
    for name in names:
        tree = load_json(source, name)
        named = {entry["id"].text(): entry["name"].text() for entry in tree["categories"]}
        categories |= {title: Category(title, source_id=number) for number, title in named.items()}
        videos += [_read_sequence(entry, named, options, left_out) for entry in tree["sequences"]]
    return Annotations(str(source.path), "burst", tuple(videos), tuple(categories.values()), left_out)


def _read_sequence(
    entry: Tree, named: dict[str, str], options: ReadOptions, left_out: Counter[str]
) -> VideoLabels:
    size: Size = (entry["height"].whole(1, 2**20), entry["width"].whole(1, 2**20))
    tracks = {}
    for track, category in entry["track_category_ids"].items():
        if category.text() not in named:
            raise category.refused("the id of one of the categories")
        tracks[track] = named[category.text()]
    images = [image.text() for image in entry["annotated_image_paths"]]
    segmentations = list(entry["segmentations"])
    if len(segmentations) != len(images):
        raise entry["segmentations"].refused(
            f"{len(images)} of them, one for each annotated image ({len(segmentations)} found)"
        )
    frames = []
    for image, drawn in zip(images, segmentations, strict=True):
        shapes = []
        for track, thing in drawn.items():
            if track not in tracks:
                raise thing.refused(f"track_category_ids to name the track {track}")
            place = thing.where
            draw = options.attempt(left_out, _draw, thing, size)
            if draw is not None:
                shapes.append(Shape(tracks[track], draw, place, track=track))
        frames.append(FrameLabels(FrameKey(image, None, size), tuple(shapes), empty=not drawn.value))
    return VideoLabels(entry["seq_name"].text(), tuple(frames))


def _draw(thing: Tree, size: Size) -> Draw:
    return counts_mask(thing["rle"].text(), size, f"{thing.where}.rle", EXPORT_AGAIN)


def write_burst(annotations: Annotations) -> Iterator[str]:
    """Sequences, then the categories, piece by piece."""
    numbers = {category.name: place for place, category in enumerate(annotations.categories, 1)}
    yield '{"sequences": ['
    for place, video in enumerate(annotations.videos, 1):
        yield (",\n" if place > 1 else "\n") + json.dumps(
            _sequence(place, video, numbers), ensure_ascii=False
        )
    named = [
        {"id": number, "name": name, "synset": "", "def": "", "synonyms": []}
        for name, number in numbers.items()
    ]
    yield f'\n], "categories": {json.dumps(named, ensure_ascii=False)}, "split": "train"}}\n'


def _sequence(place: int, video: VideoLabels, numbers: dict[str, int]) -> dict[str, Any]:
    height, width = video.frames[0].key.known_size if video.frames else (0, 0)
    things = dict.fromkeys(
        (shape.track or shape.category, shape.category) for frame in video.frames for shape in frame.shapes
    )
    ids = {thing: str(number) for number, thing in enumerate(things, 1)}
    if all(track.isascii() and track.isdigit() for track, _ in ids):
        ids = {thing: thing[0] for thing in ids}
    segmentations = []
    for frame in video.frames:
        drawn = {}
        for shape in frame.shapes:
            mask = shape.draw(frame.key.known_size)
            if mask.any():
                drawn[ids[shape.track or shape.category, shape.category]] = {
                    "rle": compressed_counts(mask),
                    "is_gt": shape.score is None,
                    "score": 1.0 if shape.score is None else shape.score,
                }
        segmentations.append(drawn)
    images = [frame.key.name for frame in video.frames]
    return {
        "width": width,
        "height": height,
        "id": place,
        "seq_name": video.name,
        "dataset": "vsodtool",
        "fps": 24,
        "all_image_paths": images,
        "annotated_image_paths": images,
        "neg_category_ids": [],
        "not_exhaustive_category_ids": [],
        "track_category_ids": {ids[thing]: numbers[thing[1]] for thing in ids},
        "segmentations": segmentations,
    }
