"""One long film among workers on Ray: how much sooner is it labelled by two than by one?

    python benchmarks/dividing.py ROOT [--sequence camel] [--frames 1200] [--lines 0] [--every 10]
        [--workers 1 2] [--out FILE]

The film is a sequence of ROOT played forth and back, reduced to so many lines if they are given. The command
is timed whole: start, Ray, planning, labels, end. The masks of all runs must be the same. Needs Ray.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from itertools import chain, cycle, islice
from pathlib import Path

import av
import cv2
import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish
from shell import vsodtool


def make_film(sequence: Sequence, folder: Path, frames: int, lines: int, every: int) -> tuple[Path, Path]:
    """Write film and masks: the file, and the folder of masks of every so many-th frame and the last."""
    film, masks = folder / "film.mp4", folder / "masks"
    (masks / "film").mkdir(parents=True)
    first = cv2.imread(str(sequence.frames[0]))
    scale = lines / first.shape[0] if lines else 1.0
    width, height = (round(side * scale / 2) * 2 for side in first.shape[1::-1])
    there = range(len(sequence.frames))
    order = islice(cycle(chain(there, reversed(there[1:-1]))), frames)
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "18"}
        for number, index in enumerate(order):
            picture = cv2.imread(str(sequence.frames[index]))
            picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8), "bgr24")))
            if number % every == 0 or number == frames - 1:
                mask = cv2.imread(str(sequence.masks[index]), cv2.IMREAD_GRAYSCALE)
                mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
                drawn = (np.asarray(mask) > 127).astype(np.uint8) * 255
                cv2.imwrite(str(masks / "film" / f"{number:05d}.png"), drawn)
        container.mux(stream.encode())
    return film, masks


def main() -> None:
    """Make the film, label it by each number of workers, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style root with a mask for every frame")
    parser.add_argument("--sequence", default="camel")
    parser.add_argument("--frames", type=int, default=1200)
    parser.add_argument("--lines", type=int, default=0, help="0: as they are")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    (sequence,) = find_sequences(options.root, [options.sequence])
    rows, masks_of = [], {}
    with tempfile.TemporaryDirectory(prefix="vsodtool-dividing-") as name:
        folder = Path(name)
        film, masks = make_film(sequence, folder, options.frames, options.lines, options.every)
        for workers in options.workers:
            out, began = folder / f"out{workers}", time.perf_counter()
            vsodtool(
                *("pseudolabel", film, "--masks", masks, "-o", out),
                *("--engine", "ray", "--workers", str(workers)),
            )
            rows.append((workers, time.perf_counter() - began))
            masks_of[workers] = [path.read_bytes() for path in sorted((out / "masks" / "film").iterdir())]
    if any(found != masks_of[options.workers[0]] for found in masks_of.values()):
        raise SystemExit("the masks differ between numbers of workers")
    slowest = max(seconds for _, seconds in rows)
    publish(
        [
            *header(),
            "",
            f"| workers | {options.frames} frames, s | times as fast |",
            "|---:|---:|---:|",
            *(
                f"| {workers} | {seconds:.1f} | {slowest / seconds:.2f} |"
                for workers, seconds in sorted(rows)
            ),
        ],
        options.out,
    )


if __name__ == "__main__":
    main()
