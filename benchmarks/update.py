"""How long from a corrected mask to new labels: `Updater`, as the review page uses it, and `--update`.

    python benchmarks/update.py SEQUENCE_ROOT [--sequence bus] [--quality fast balanced] [--long 1000]
                                              [--how grown piece] [--rounds 3] [--out FILE.md]

SEQUENCE_ROOT is a DAVIS-style root. The masks of every tenth frame are given; one in the middle is drawn
anew in each round: grown all around, a pixel more each time, or without a piece of 30 x 30 pixels, another
one each time, as people correct. So the 18 frames of its two intervals are made again. Seconds and CPU
seconds are those of one process that stays: the first round also loads, the rest is warm, of which the
median is told. The frames are read from a folder, from a video file, and with --long from a file of that
many frames, near whose end the mask lies. At the end the labels must be, byte for byte, those of a fresh
run.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool import pseudolabel
from vsodtool.pipelines.update import Updater

EVERY = 10
PLACES, HALF = 5, 15  # of pieces, in the order of rows; pixels from their middle to their sides


@dataclass
class Timing:
    """Of one input and quality; seconds and CPU seconds of each round."""

    what: str
    quality: str
    frames: int = 0
    rounds: list[tuple[float, float]] = field(default_factory=list)
    command: float = 0.0
    equal: bool = False


def write_video(frames: list[Path], path: Path, count: int) -> None:
    """A video of the frames, forwards and backwards until there are enough."""
    forth_and_back = islice(cycle(chain(frames, frames[-2:0:-1])), count)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "18"})
        for file in forth_and_back:
            picture = cv2.imread(str(file))
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())


def prepare(sequence: Sequence, kind: str, count: int, work: Path) -> Path:
    """Masks in work/masks and the input that is returned."""
    (work / "masks").mkdir()
    forth_and_back = list(islice(cycle(chain(sequence.masks, sequence.masks[-2:0:-1])), count))
    for index in sorted({*range(0, count, EVERY), count - 1}):
        shutil.copy(forth_and_back[index], work / "masks" / f"{index:05d}.png")
    if kind == "folder":
        (work / "clip").mkdir()
        for index, file in enumerate(sequence.frames):
            shutil.copy(file, work / "clip" / f"{index:05d}{file.suffix}")
        return work / "clip"
    write_video(sequence.frames, work / "clip.mp4", count)
    return work / "clip.mp4"


def correct(work: Path, number: int, of_round: int, how: str) -> None:
    """Another mask of the frame: grown by a pixel more than rounds went by, or without a piece."""
    mask = cv2.imread(str(work / "masks" / f"{number:05d}.png"), cv2.IMREAD_GRAYSCALE)
    if how == "grown":
        mask = cv2.dilate(mask, np.ones((2 * of_round + 3,) * 2, np.uint8))
    else:
        rows, columns = np.nonzero(mask)
        at = len(rows) * (of_round % PLACES + 1) // (PLACES + 1)
        top, left = max(rows[at] - HALF, 0), max(columns[at] - HALF, 0)
        mask[top : rows[at] + HALF, left : columns[at] + HALF] = 0
    target = work / "out" / "corrections" / "clip" / f"{number:05d}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), mask)


def content(out: Path) -> dict[str, bytes]:
    """Masks and table."""
    return {path.name: path.read_bytes() for path in [*(out / "masks/clip").iterdir(), out / "frames.csv"]}


def measure(sequence: Sequence, kind: str, quality: str, count: int, how: str, *, rounds: int) -> Timing:
    """Time one input."""
    timing = Timing(f"{kind}, {count} frames, {how}", quality)
    with tempfile.TemporaryDirectory(prefix="vsodtool-update-") as name:
        work = Path(name)
        source = prepare(sequence, kind, count, work)
        options = {"inputs": source, "quality": quality, "backend": "dis", "device": "cpu", "method": "fgplg"}
        pseudolabel(masks=work / "masks", output=work / "out", **options)
        number = (
            count // EVERY // 2 * EVERY if kind == "folder" or count < 500 else (count // EVERY - 3) * EVERY
        )
        with Updater(work / "out") as updater:
            for each in range(rounds + 1):
                correct(work, number, each, how)
                timing.frames = sum(stale.frames for stale in updater.stale())
                began, cpu = time.perf_counter(), time.process_time()
                updater.run()
                timing.rounds.append((time.perf_counter() - began, time.process_time() - cpu))
        correct(work, number, rounds + 1, how)
        command = ["pseudolabel", source, "--masks", work / "masks", "-o", work / "out", "--quality", quality]
        command += ["--backend", "dis", "--device", "cpu", "--method", "fgplg", "--update", "--quiet"]
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "vsodtool", *map(str, command)], check=True, capture_output=True
        )
        timing.command = time.perf_counter() - began
        if count < 500:
            masks = [work / "masks", work / "out" / "corrections"]
            pseudolabel(masks=masks, output=work / "fresh", **options)
            timing.equal = content(work / "out") == content(work / "fresh")
    return timing


def table(timings: list[Timing]) -> list[str]:
    """Markdown."""
    lines = [
        "| input | quality | frames | first, s | warm, s | warm, CPU s | `--update`, s | as a fresh run |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in timings:
        warm = [seconds for seconds, _ in each.rounds[1:]]
        cpu = [seconds for _, seconds in each.rounds[1:]]
        lines.append(
            f"| {each.what} | {each.quality} | {each.frames} | {each.rounds[0][0]:.1f} | {median(warm):.1f} "
            f"| {median(cpu):.1f} | {each.command:.1f} | {'yes' if each.equal else '-'} |"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--sequence", default="bus")
    parser.add_argument("--quality", nargs="+", default=["fast", "balanced"])
    parser.add_argument("--kinds", nargs="+", default=["folder", "file"])
    parser.add_argument("--long", type=int, default=0)
    parser.add_argument("--how", nargs="+", choices=["grown", "piece"], default=["grown", "piece"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    (sequence,) = [each for each in find_sequences(given.root) if each.name == given.sequence]
    lengths = [(kind, len(sequence.frames)) for kind in given.kinds]
    lengths += [("file", given.long)] if given.long else []
    timings = [
        measure(sequence, kind, quality, count, how, rounds=given.rounds)
        for kind, count in lengths
        for quality in given.quality
        for how in given.how
    ]
    publish(["## From a correction to new labels: update.py", "", *header(), "", *table(timings)], given.out)


if __name__ == "__main__":
    main()
