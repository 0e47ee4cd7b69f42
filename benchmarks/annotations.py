"""Annotation files of a long video: seconds and memory to write and to read them.

    python benchmarks/annotations.py [--frames 5000] [--formats cvat coco] [--out RESULTS.md]

Two textured blobs of a few thousand pixels that move over 854x480 frames, drawn by code. Reading draws every
label image, as `pseudolabel` does. Each format is written and read in a process of its own, whose peak memory
is that of the whole process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from machine import header, publish

from vsodtool.media.annotations.model import (
    Annotations,
    Category,
    FrameKey,
    FrameLabels,
    ReadOptions,
    Shape,
    VideoLabels,
)
from vsodtool.media.annotations.objects import ObjectRule, identify
from vsodtool.media.annotations.reading import read_annotations
from vsodtool.media.annotations.runs import MaskArray
from vsodtool.media.annotations.table import FORMATS, Format

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


class Clock:
    """Seconds on the wall and of this process's CPU since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Wall, CPU."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def draw(annotations: Annotations) -> None:
    """What writing costs apart from the format: every mask once."""
    for frame in annotations.videos[0].frames:
        for shape in frame.shapes:
            shape.draw(SIZE)


def write(entry: Format, annotations: Annotations, path: Path) -> None:
    """As `convert` writes."""
    if entry.write is not None:
        with path.open("w", encoding="utf-8") as file:
            file.writelines(entry.write(annotations))
        return
    assert entry.write_files is not None
    for name, text in entry.write_files(annotations):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")


def read(path: Path) -> None:
    """As `pseudolabel` reads: every label image, one at a time."""
    found = read_annotations(path, options=ReadOptions(predictions=True))
    frames = found.videos[0].frames
    objects = identify({"clip": frames}, found.categories, ObjectRule())["clip"]
    for frame in frames:
        objects.paint(frame, SIZE)


def measure(name: str, count: int) -> list[float]:
    """Seconds (wall, CPU) to draw, to draw and write, and to read; size in MB; peak memory in MB."""
    entry = next(entry for entry in FORMATS if entry.name == name)
    annotations = scene(count)
    clock = Clock()
    draw(annotations)
    drawing = clock.read()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "annotations")
        clock = Clock()
        write(entry, annotations, path)
        writing = clock.read()
        clock = Clock()
        read(path)
        reading = clock.read()
        files = [path] if path.is_file() else path.rglob("*.*")
        size = sum(file.stat().st_size for file in files) / 1e6
    return [*drawing, *writing, *reading, size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=5000)
    known = [entry.name for entry in FORMATS if entry.read and (entry.write or entry.write_files)]
    parser.add_argument("--formats", nargs="+", default=["cvat", "coco"], choices=known)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = ["## Annotation files: annotations.py", "", *header()]
    lines.append(f"- load before: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    lines += ["", "| format | frames | draw s (CPU) | draw and write | read and draw | file MB | peak MB |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    context = multiprocessing.get_context("spawn")
    for name in options.formats:
        with context.Pool(1) as pool:
            *seconds, size, peak = pool.apply(measure, (name, options.frames))
        pairs = zip(seconds[::2], seconds[1::2], strict=True)
        figures = " | ".join(f"{wall:.1f} ({cpu:.1f})" for wall, cpu in pairs)
        lines.append(f"| {name} | {options.frames} | {figures} | {size:.0f} | {peak:.0f} |")
    publish(lines, options.out)


if __name__ == "__main__":
    main()
