"""How good are labels where masks are far apart, or there is only one?

    python benchmarks/few_masks.py ROOT --keep DIR [--every first 40 20 10 5 2] [--method auto]
                                        [--track auto off] [--sequences NAME ...] [--workers N]
                                        [--out FILE.md]

J on a DAVIS-style root: "first" gives the mask of the first frame only, K those of frames 0, K, 2K, ... and
the last. Neither the given frames nor, with "first", the last one are scored, as by tools/score_masks.py. The
confidence is that of frames.csv: its Spearman with J over all these frames together. Runs lie in DIR and
are continued there.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
from pathlib import Path

import numpy as np
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool.config import PseudoLabelConfig
from vsodtool.media.images import read_grey
from vsodtool.metrics import region_j, spearman
from vsodtool.pipelines.pseudolabel import run_pseudolabel

FIRST = "first"
Scores = dict[str, list[tuple[float, float]]]  # by sequence: J and confidence of each scored frame


def label(sequence: Sequence, every: str, options: argparse.Namespace, track: str) -> Path:
    """Make the labels of a sequence; the folder of the run."""
    out: Path = options.keep / f"{options.method}-{track}-{every}" / sequence.name
    masks = out.parent / f"{sequence.name}-masks"
    masks.mkdir(parents=True, exist_ok=True)
    chosen = sequence.masks[:1] if every == FIRST else [sequence.masks[i] for i in sequence.given(int(every))]
    for mask in chosen:
        shutil.copyfile(mask, masks / mask.name)
    run_pseudolabel(
        PseudoLabelConfig(
            inputs=(str(sequence.frames[0].parent),),
            masks=(str(masks),),
            output=out,
            method=options.method,
            track=track,
            workers=options.workers,
            cuts="none",
        )
    )
    return out


def score(sequence: Sequence, every: str, out: Path) -> list[tuple[float, float]]:
    """J and confidence of each frame that was made, but the last one."""
    with (out / "frames.csv").open(newline="") as file:
        confidence = {row["frame"]: float(row["confidence"]) for row in csv.DictReader(file)}
    last = len(sequence.masks) - 1
    given = {0, last} if every == FIRST else set(sequence.given(int(every)))
    return [
        (
            region_j(
                read_grey(out / "masks" / sequence.name / f"{mask.stem}.png") > 127, read_grey(mask) > 127
            ),
            confidence[mask.stem],
        )
        for number, mask in enumerate(sequence.masks)
        if number not in given
    ]


def tables(results: dict[tuple[str, str], Scores]) -> list[str]:
    """Markdown: a column for each run, a line for each sequence."""
    names = list(next(iter(results.values())))
    lines = [
        "| J | " + " | ".join(f"{every}, --track {track}" for every, track in results) + " |",
        "|" + "---|" * (len(results) + 1),
    ]
    js = {
        run: {name: float(np.mean([j for j, _ in of[name]])) for name in names} for run, of in results.items()
    }
    lines += [f"| {name} | " + " | ".join(f"{js[run][name]:.3f}" for run in results) + " |" for name in names]
    lines.append("| mean | " + " | ".join(f"{np.mean(list(js[run].values())):.3f}" for run in results) + " |")
    ranks = [
        spearman(*zip(*[pair for of in found.values() for pair in of], strict=True))
        for found in results.values()
    ]
    lines.append("| Spearman of confidence, pooled | " + " | ".join(f"{rank:.2f}" for rank in ranks) + " |")
    return lines


def main() -> None:
    """Label, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--every", nargs="+", default=[FIRST, "40", "20", "10", "5", "2"])
    parser.add_argument("--method", default="auto")
    parser.add_argument("--track", nargs="+", default=["auto", "off"])
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sequences = find_sequences(options.root, options.sequences)
    results: dict[tuple[str, str], Scores] = {}
    for every in options.every:
        for track in options.track:
            found: Scores = {}
            for sequence in sequences:
                found[sequence.name] = score(sequence, every, label(sequence, every, options, track))
                print(f"{every} {track} {sequence.name}", file=sys.stderr, flush=True)
            results[every, track] = found
    publish(["### Few masks: few_masks.py", "", *header(), "", *tables(results)], options.out)


if __name__ == "__main__":
    main()
