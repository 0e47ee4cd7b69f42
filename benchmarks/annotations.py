"""Annotation files of a long video: seconds and memory to write and to read them.

    python benchmarks/annotations.py [--frames 5000] [--formats cvat coco] [--out RESULTS.md]

Two textured blobs of a few thousand pixels that move over 854x480 frames, drawn by code. Reading draws every
label image, as `pseudolabel` does. Each format is written and read in a process of its own, whose peak memory
is that of the whole process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from machine import header, publish

from vsodtool.media.annotations.model import Annotations, Category, FrameKey, FrameLabels, Shape, VideoLabels
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.table import FORMATS, read_annotations

SIZE = (480, 854)


def blob(number: int, frame: int, size: tuple[int, int]) -> MaskArray:
    """A mask with a hole and a ragged border, of about 8,000 pixels."""
    top, left = 80 + 180 * number + frame % 40, 40 + (frame * (2 + number)) % (size[1] - 200)
    y, x = np.ogrid[-60:60, -60:60]
    distance, angle = np.hypot(y, x), np.arctan2(y, x)
    drawn = np.zeros(size, bool)
    drawn[top : top + 120, left : left + 120] = (distance < 50 + 4 * np.sin(9 * angle + frame)) & (
        distance > 6
    )
    return drawn


def scene(count: int) -> Annotations:
    """`count` frames with two objects."""
    frames = []
    for frame in range(count):
        shapes = [
            Shape(name, partial(blob, number, frame), "made", track=str(number + 1))
            for number, name in enumerate(("dog", "ball"))
        ]
        frames.append(FrameLabels(FrameKey(f"{frame:05d}.jpg", frame, SIZE), tuple(shapes)))
    video = VideoLabels("clip", tuple(frames))
    return Annotations("made", "made", (video,), (Category("dog"), Category("ball")))


def measure(name: str, count: int) -> tuple[float, float, float, float, float]:
    """Seconds to draw, to draw and write, and to read; size in MB; peak memory in MB."""
    entry = next(entry for entry in FORMATS if entry.name == name)
    annotations = scene(count)
    start = time.perf_counter()
    for frame in annotations.videos[0].frames:
        for shape in frame.shapes:
            shape.draw(SIZE)
    drawing = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.xml" if name == "cvat" else "file.json")
        start = time.perf_counter()
        if entry.write is None:
            raise SystemExit(f"{name}: expected a format of one file")
        with path.open("w", encoding="utf-8") as file:
            file.writelines(entry.write(annotations))
        writing = time.perf_counter() - start
        start = time.perf_counter()
        found = read_annotations(path)
        frames = found.videos[0].frames
        objects = identify({"clip": frames}, found.categories, ObjectRule())["clip"]
        for frame in frames:
            objects.paint(frame, SIZE)
        reading = time.perf_counter() - start
        size = path.stat().st_size / 1e6
    return drawing, writing, reading, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--formats", nargs="+", default=["cvat", "coco"])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = ["## Annotation files: annotations.py", "", *header()]
    lines += ["", "| format | frames | write s | read s | file MB | peak MB |", "|---|---|---|---|---|---|"]
    context = multiprocessing.get_context("spawn")
    for name in options.formats:
        with context.Pool(1) as pool:
            drawing, writing, reading, size, peak = pool.apply(measure, (name, options.frames))
        figures = f"{writing - drawing:.1f} | {reading:.1f} | {size:.0f} | {peak:.0f}"
        lines.append(f"| {name} | {options.frames} | {figures} |")
    publish([*lines, "", "Writing is without the time that drawing the scene takes."], options.out)


if __name__ == "__main__":
    main()
