"""How often masks that do not fit their frames are found, and how often masks that do are taken for such.

    python benchmarks/fit.py ROOT [--sequences NAME ...] [--out RESULTS.md]

Every 10th and every 20th mask of a DAVIS-style root, as drawn and made worse (coarse polygons, dilated,
eroded, boxes), and masks of another video, all of them moved by -2 to 2 frames. Dilation and erosion are in
pixels of a frame of 640x360. Also the seconds for a video, files to answer.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.contour_fit import Fit
from vsodtool.pipelines.densify.mask_fit import check_fit, choose_masks, measure_fit
from vsodtool.types import Frame, ImageArray, LabelArray

SHIFTS = (-2, -1, 0, 1, 2)
EVERY = (10, 20)
OTHER = 7  # videos further on, whose masks are taken for those of this one


def polygon(share: float) -> Callable[[LabelArray], LabelArray]:
    """Outlines without the corners that lie nearer to it than a share of their length (Douglas-Peucker)."""

    def change(mask: LabelArray) -> LabelArray:
        drawn = np.zeros(mask.shape, np.uint8)
        outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        for outline in outlines:
            corners = cv2.approxPolyDP(outline, share * cv2.arcLength(outline, True), True)
            if len(corners) >= 3:
                cv2.fillPoly(drawn, [corners], 1)
        return drawn.astype(np.uint16)

    return change


def grown(pixels: int) -> Callable[[LabelArray], LabelArray]:
    """Dilated, or eroded by a negative number."""

    def change(mask: LabelArray) -> LabelArray:
        width = 2 * round(abs(pixels) * (mask.size / (640 * 360)) ** 0.5) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
        return (cv2.dilate if pixels > 0 else cv2.erode)(mask.astype(np.uint8), kernel).astype(np.uint16)

    return change


def box(mask: LabelArray) -> LabelArray:
    """The box around all of it."""
    drawn = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    if len(rows):
        drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 1
    return drawn


VARIANTS: dict[str, Callable[[LabelArray], LabelArray]] = {
    "as drawn": lambda mask: mask,
    "polygons of 1 %": polygon(0.01),
    "polygons of 2 %": polygon(0.02),
    "dilated by 3": grown(3),
    "dilated by 7": grown(7),
    "eroded by 3": grown(-3),
    "boxes": box,
}


def load(path: Path, size: tuple[int, ...] | None = None) -> LabelArray:
    """A mask, 0 or 1, perhaps in another size."""
    mask = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127).astype(np.uint16)
    return (
        mask if size in (None, mask.shape) else cv2.resize(mask, size[::-1], interpolation=cv2.INTER_NEAREST)
    )


@dataclass(frozen=True)
class Film:
    """Frames in memory, as a source gives them."""

    frames: list[ImageArray]

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        """Those of these indices that exist, in order."""
        for index in sorted(indices):
            if 0 <= index < len(self.frames):
                yield Frame(index, str(index), self.frames[index])


def tries(sequences: list[Sequence]) -> Iterator[tuple[str, int, str, Fit]]:
    """Variant, true shift, name of the try, what was found."""
    for number, sequence in enumerate(sequences):
        other = sequences[(number + OTHER) % len(sequences)].masks
        film = Film([cv2.imread(str(path))[..., ::-1].copy() for path in sequence.frames])
        still = Film([film.frames[len(film.frames) // 2]] * len(film.frames))
        masks = [load(path) for path in sequence.masks]
        for every, shift in product(EVERY, SHIFTS):
            name = f"{sequence.name}, every {every}"
            given = {at + shift: at for at in sequence.given(every) if 0 <= at + shift < len(masks)}
            chosen = choose_masks(sorted(given), len(masks))

            def fit(film: Film, labels: dict[int, LabelArray], chosen: list[int] = chosen) -> Fit:
                return measure_fit(film.select, chosen, labels.__getitem__)

            for variant, change in VARIANTS.items():
                yield variant, shift, name, fit(film, {at: change(masks[given[at]]) for at in chosen})
            strange = {at: load(other[given[at] % len(other)], masks[0].shape) for at in chosen}
            yield "of another video", shift, name, fit(film, strange)
            middle = dict.fromkeys(chosen, masks[len(masks) // 2])
            yield "a still video", shift, name, fit(still, middle)


def seconds_per_video(sequences: list[Sequence]) -> tuple[float, float]:
    """Mean time of the check, files to answer, and frames per video."""
    took = []
    for sequence in sequences:
        (video,) = discover_videos([str(sequence.frames[0].parent)])
        source = open_frames(video)
        masks = match_masks(sequence.masks[0].parent, [source], 10)[sequence.name]
        start = time.perf_counter()
        check_fit(source, masks)
        took.append(time.perf_counter() - start)
    return fmean(took), fmean(len(sequence.frames) for sequence in sequences)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--sequences", nargs="*")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    sequences = find_sequences(arguments.root, arguments.sequences)
    count: Counter[tuple[str, int, str]] = Counter()
    wrong = []
    for variant, shift, name, fit in tries(sequences):
        what = "right" if fit.shift == -shift else "wrong" if fit.shift else "none"
        what = "misplaced" if fit.misplaced else what
        count[variant, shift, what] += 1
        count[variant, shift, "all"] += 1
        if what == "wrong":
            wrong.append(f"{variant}, {shift}, {name}: {fit.shift}, margin {fit.margin:.2f}")
    seconds, frames = seconds_per_video(sequences)
    lines = [
        f"### Masks that do not fit their frames: {arguments.root.name}, {len(sequences)} sequences",
        "",
        *header(),
        "",
        "Of all tries with masks moved by so many frames: the right shift named / a wrong one. The last "
        "column: masks that were not moved and were warned of as fitting nowhere.",
        "",
        "| masks | "
        + " | ".join(f"{shift:+d}" if shift else "0 (refused)" for shift in SHIFTS)
        + " | 0 (warned of) |",
        "|---" * (len(SHIFTS) + 2) + "|",
    ]
    for variant in dict.fromkeys(key[0] for key in count):
        cells = []
        for shift in SHIFTS:
            right, bad, total = (count[variant, shift, what] for what in ("right", "wrong", "all"))
            cells.append(f"{right} / {bad} of {total}" if shift else f"{bad} of {total}")
        warned = f"{count[variant, 0, 'misplaced']} of {count[variant, 0, 'all']}"
        lines.append(f"| {variant} | " + " | ".join([*cells, warned]) + " |")
    lines += ["", f"Files to answer: {seconds:.2f} s for a video, {frames:.0f} frames on average.", ""]
    lines += [f"- wrong: {line}" for line in wrong]
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
