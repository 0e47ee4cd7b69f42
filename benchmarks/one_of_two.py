"""Of two salient things one is masked: is it that one which is followed far from masks?

    python benchmarks/one_of_two.py ROOT --keep DIR [--pairs BELOW+ABOVE ...] [--every first]
                                    [--method fgplg] [--track auto off] [--workers N] [--out FILE.md]

Pairs are made as by objects.py, from a DAVIS-style root, and each is labelled twice: once its object below is
masked alone, once the one above. Scored as by few_masks.py, whose runs these are; they lie in DIR.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import few_masks
import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish
from objects import PAIRS, paste

from vsodtool.media.images import read_grey


def one_of(pair: str, number: int, sequences: dict[str, Sequence], work: Path) -> Sequence:
    """The frames of a pair, and masks of one of its objects alone."""
    name = f"{pair}-{number}"
    frames, folder = work / "one" / name, work / "one-masks" / name
    if not (work / "frames" / pair).exists():  # else runs over them go on
        below, above = (sequences[each] for each in pair.split("+"))
        paste(below, above, work)
    if not frames.exists():
        for each in (frames.parent, folder):
            each.mkdir(parents=True, exist_ok=True)
        for truth in sorted((work / "truth" / pair).iterdir()):
            cv2.imwrite(str(folder / truth.name), (read_grey(truth) == number).astype(np.uint8) * 255)
        frames.symlink_to(work.resolve() / "frames" / pair)
    masks = sorted(folder.iterdir())
    return Sequence(name, [frames / f"{mask.stem}.jpg" for mask in masks], masks)


def main() -> None:
    """Paste, label, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--pairs", nargs="+", default=list(PAIRS))
    parser.add_argument("--every", nargs="+", default=[few_masks.FIRST])
    parser.add_argument("--method", default="fgplg")
    parser.add_argument("--track", nargs="+", default=["auto", "off"])
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    names = sorted({name for pair in options.pairs for name in pair.split("+")})
    sequences = {each.name: each for each in find_sequences(options.root, names)}
    results: dict[tuple[str, str], few_masks.Scores] = {}
    for pair in options.pairs:
        for number in (1, 2):
            each = one_of(pair, number, sequences, options.keep / "pairs")
            for every in options.every:
                for track in options.track:
                    run = few_masks.label(each, every, options, track)
                    results.setdefault((every, track), {})[each.name] = few_masks.score(each, every, run)
                    print(f"{every} {track} {each.name}", file=sys.stderr, flush=True)
    publish(["### One of two: one_of_two.py", "", *header(), "", *few_masks.tables(results)], options.out)


if __name__ == "__main__":
    main()
