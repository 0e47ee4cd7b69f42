"""How many samples per second one process reads, for each kind of training."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from machine import header
from torch.utils.data import Dataset

from vsodtool.data.augmentation import AUGMENTATION, PAPER
from vsodtool.data.clips.dataset import ClipDataset
from vsodtool.data.clips.triplets import FgplgDataset
from vsodtool.data.sources.training_data import DataSpec, load_training_data
from vsodtool.errors import VsodtoolError
from vsodtool.media.images import use_one_thread
from vsodtool.models.flow.registry import create_estimator


def measure(dataset: Dataset[object], seconds: float) -> float:
    """Milliseconds of one process per sample, the median over random samples."""
    rng = np.random.default_rng(0)
    taken: list[float] = []
    while sum(taken) < seconds or len(taken) < 10:
        index = int(rng.integers(len(dataset)))  # type: ignore[arg-type]
        started = time.process_time()
        dataset[(len(taken), index)]  # type: ignore[index]
        taken.append(time.process_time() - started)
    return 1000 * float(np.median(taken))


def lines(data: list[str], sizes: list[int], seconds: float) -> list[str]:
    """The table, in markdown."""
    table = ["| kind | size | augmentation | ms per sample |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        loaded = load_training_data(DataSpec(data=tuple(data)), cache=Path(cache))
        table = [f"validation of all files: {time.perf_counter() - started:.1f} s", "", *table]
        groups = {"videos": [v for v in loaded.train if not v.stills]}
        groups["still images"] = [v for v in loaded.train if v.stills]
        dis = partial(create_estimator, "dis", quality="balanced", device="cpu")
        for size in sizes:
            for name, videos in groups.items():
                if not videos:
                    continue
                for look, augmentation in (("paper", PAPER), ("strong", AUGMENTATION)):
                    for length in (1, 4):
                        clips = ClipDataset(videos, clip_length=length, size=size, augmentation=augmentation)
                        taken = measure(clips, seconds)
                        table.append(f"| clip of {length} from {name} | {size} | {look} | {taken:.1f} |")
                    triplets = FgplgDataset(videos, size=size, estimator=dis, augmentation=augmentation)
                    table.append(
                        f"| triplet from {name} | {size} | {look} | {measure(triplets, seconds):.1f} |"
                    )
    return table


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", help="sources as for `vsodtool train --data`")
    parser.add_argument("--size", type=int, nargs="+", default=[256, 448])
    parser.add_argument("--seconds", type=float, default=2.0, help="per row")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    use_one_thread()
    try:
        text = "\n".join(
            [
                "## Reading training data",
                "",
                *header(),
                "",
                *lines(options.data, options.size, options.seconds),
            ]
        )
    except VsodtoolError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(text)
    if options.out:
        with options.out.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
