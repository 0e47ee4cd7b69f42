"""Frames per second and peak memory of `vsodtool pseudolabel`, files in to files out.

    python benchmarks/throughput.py ROOT [--every 10] ...                           a DAVIS-style root
    python benchmarks/throughput.py --frames 500 5000 [--labels every10|ends] ...   generated 854x480 videos
        [--quality fast balanced best] [--backend auto] [--device auto] [--rounds 3] [--no-bare]
        [--out FILE.md]

Runs of vsodtool and of the bare decoding and flow (bare_flow.py) take turns, `--rounds` times; medians are
printed. `wall` counts the whole process with its start; `work` leaves out the start, measured as a dry run.
Peak memory is the largest resident set of the process. This file must not import numpy or torch: on Linux the
peak of a child starts at the size of its parent.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import median

from davis import find_sequences
from machine import header, publish

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Case:
    """What to process: a title, inputs, masks and `--every`, and the number of frames."""

    title: str
    inputs: list[str]
    masks: Path
    every: int
    frames: int


@dataclass(frozen=True)
class Measured:
    """One process: seconds, peak resident MiB, and what it printed."""

    seconds: float
    mebibytes: float
    output: str


def run(command: list[str]) -> Measured:
    """Run a command to its end; exits if it fails."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode != 0:
            errors.seek(0)
            raise SystemExit(f"{command} ended with {process.returncode}:\n{errors.read()[-2000:]}")
        output.seek(0)
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return Measured(seconds, usage.ru_maxrss / scale, output.read())


def measure(case: Case, quality: str, arguments: argparse.Namespace, folder: Path) -> list[str]:
    """One line of the table."""
    settings = ["--quality", quality, "--backend", arguments.backend, "--device", arguments.device]
    output = folder / "out"
    own = [sys.executable, "-m", "vsodtool", "pseudolabel", *case.inputs, "--masks", str(case.masks)]
    own += ["-o", str(output), "--method", "warp", "--every", str(case.every), "--quiet", *settings]
    bare = [sys.executable, str(HERE / "bare_flow.py"), *case.inputs, *settings]
    walls, starts, peaks, bares = [], [], [], []
    for turn in range(arguments.rounds):
        shutil.rmtree(output, ignore_errors=True)
        starts.append(run([*own, "--dry-run"]).seconds)
        done = run(own)
        walls.append(done.seconds)
        peaks.append(done.mebibytes)
        found = len(list((output / "masks").rglob("*.png")))
        if found != case.frames:
            raise SystemExit(f"{case.title}: {case.frames} frames, but {found} masks came out")
        if not arguments.no_bare:
            report = json.loads(run(bare).output.splitlines()[-1])
            bares.append(report["frames"] / report["seconds"])
        print(f"{case.title} {quality} {turn + 1}/{arguments.rounds}: {walls[-1]:.1f} s", file=sys.stderr)
    wall, work, bare_rate = median(walls), median(walls) - median(starts), median(bares or [nan])
    rate = case.frames / work
    cells = [case.title, quality, case.frames, f"{wall:.1f}", f"{case.frames / wall:.1f}", f"{rate:.1f}"]
    cells += [f"{bare_rate:.1f}", f"{rate / bare_rate:.2f}", f"{median(peaks):.0f}"]
    return [str(cell) for cell in cells]


def cases(arguments: argparse.Namespace, folder: Path) -> list[Case]:
    """What the command line asks for; long videos are generated into `folder`."""
    found = []
    if arguments.root is not None:
        sequences = find_sequences(arguments.root, arguments.sequences)
        masks = sequences[0].masks[0].parent
        found.append(
            Case(
                arguments.root.name,
                [str(sequence.frames[0].parent) for sequence in sequences],
                masks.parent if len(sequences) > 1 else masks,
                arguments.every,
                sum(len(sequence.frames) for sequence in sequences),
            )
        )
    for frames in arguments.frames:
        place = folder / str(frames)
        run(
            [
                sys.executable,
                str(HERE / "long_video.py"),
                str(place),
                "--frames",
                str(frames),
                "--labels",
                arguments.labels,
            ]
        )
        found.append(
            Case(f"generated, {arguments.labels}", [str(place / "long.mp4")], place / "masks", 0, frames)
        )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--frames", type=int, nargs="+", default=[])
    parser.add_argument("--labels", choices=["every10", "ends"], default="every10")
    parser.add_argument("--quality", nargs="+", default=["fast", "balanced", "best"])
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-bare", action="store_true", help="leave the bare runs out")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    if arguments.root is None and not arguments.frames:
        parser.error("name a DAVIS-style root, or --frames N")
    lines = ["## throughput.py", "", *header(), ""]
    lines.append(
        "| video | quality | frames | wall s | frames/s, wall | work | bare | work / bare | peak MiB |"
    )
    lines.append("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for case in cases(arguments, folder):
            for quality in arguments.quality:
                lines.append(f"| {' | '.join(measure(case, quality, arguments, folder))} |")
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
