"""MOTS: a text for each video, a line for each object of a frame: frame, id, class, height, width, code.

Facts: the format page of MOTS and KITTI-MOTS. The code is COCO's compressed text; an id is 1000 times its
class and a number. Class 10 is to be ignored. Frames are counted as the images are named.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from vsodtool.errors import DataError
from vsodtool.media.annotations.formats.coco_areas import compressed_counts, counts_mask
from vsodtool.media.annotations.model import (
    Annotations,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.source import Source
from vsodtool.types import Size

_LINE = re.compile(r"([0-9]{1,9}) ([0-9]{1,9}) ([0-9]{1,9}) ([0-9]{1,6}) ([0-9]{1,6}) ([0-o]+)")
_IGNORED = 10
_MOST = 999  # objects of a class


def is_mots_line(line: bytes) -> bool:
    """Whether a text begins as such a file does."""
    return _LINE.fullmatch(line.decode("ascii", "replace").strip()) is not None


def detect_mots(source: Source) -> tuple[str, ...]:
    """The texts of a source that begin with such a line.

    Raises:
        DataError: a file cannot be read.
    """
    texts = source.files_of(".txt")
    return tuple(name for name in texts if is_mots_line(source.first_line(name)))


def read_mots(source: Source, names: tuple[str, ...], options: ReadOptions) -> Annotations:
    """Read texts; the stem of each is its video. Classes have no names: class_1, class_2, ...

    Raises:
        DataError: a line is no such line.
    """
    left_out: Counter[str] = Counter()
    videos = []
    for name in names:
        frames: dict[int, list[Shape]] = defaultdict(list)
        sizes: dict[int, Size] = {}
        text = source.read(name).decode("utf-8-sig", "replace")
        for number, line in enumerate(text.splitlines(), 1):
            place = f"{source.place(name)}: line {number}"
            found = _LINE.fullmatch(line.strip())
            if found is None:
                if not line.strip():
                    continue
                if options.skip_bad:
                    left_out["unreadable"] += 1
                    continue
                raise DataError(
                    f"{place}: expected frame, id, class, height, width, code, found {line.strip()[:60]!r}",
                    "export it again; the lists of points that X-AnyLabeling calls MOTS are none",
                )
            frame, track, kind, height, width = map(int, found.groups()[:5])
            if kind == _IGNORED:
                left_out["area to ignore"] += 1
                continue
            size = sizes.setdefault(frame, (height, width))
            if size != (height, width):
                raise DataError(
                    f"{place}: expected {size[1]}x{size[0]} like the line before, found {width}x{height}",
                    "export it again",
                )
            draw = counts_mask(found[6], size, place, "export it again")
            frames[frame].append(Shape(f"class_{kind}", draw, place, track=str(track)))
        labels = [
            FrameLabels(FrameKey("", frame, sizes[frame]), tuple(shapes))
            for frame, shapes in sorted(frames.items())
        ]
        videos.append(VideoLabels(PurePosixPath(name).stem, tuple(labels)))
    return Annotations(str(source.path), "mots", tuple(videos), left_out=left_out)


def write_mots(annotations: Annotations) -> Iterator[tuple[str, str]]:
    """A text for each video: name, content. Classes are numbered from 1, their names are lost.

    Raises:
        DataError: a class has more than 999 objects.
    """
    classes = {category.name: place for place, category in enumerate(annotations.categories, 1)}
    classes = {name: number + (number >= _IGNORED) for name, number in classes.items()}
    for video in annotations.videos:
        ids: dict[tuple[str, str], int] = {}
        taken: Counter[str] = Counter()
        lines = []
        for place, frame in enumerate(video.frames):
            number = frame.key.number_or(place)
            height, width = frame.key.known_size
            for shape in frame.shapes:
                mask = shape.draw((height, width))
                if not mask.any():
                    continue
                thing = shape.track or shape.category, shape.category
                if thing not in ids:
                    taken[shape.category] += 1
                    ids[thing] = 1000 * classes[shape.category] + taken[shape.category]
                if taken[shape.category] > _MOST:
                    raise DataError(
                        f"{shape.category}: expected at most {_MOST} objects of a class, found more",
                        "write --to coco, which holds any number",
                    )
                lines.append(
                    f"{number} {ids[thing]} {classes[shape.category]} {height} {width} "
                    f"{compressed_counts(mask)}\n"
                )
        yield f"{video.name or 'video'}.txt", "".join(lines)
