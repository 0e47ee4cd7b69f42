"""Frames per second and peak memory of `vsodtool pseudolabel`, files in to files out.

    python benchmarks/throughput.py ROOT [--every 10] ...                           a DAVIS-style root
    python benchmarks/throughput.py --frames 500 5000 [--labels every10|ends] ...   generated 854x480 videos
        [--method auto] [--quality fast balanced best] [--backend auto] [--device auto] [--rounds 3]
        [--no-bare] [--lines 1080] [--before PYTHON] [--out FILE.md]

`--lines` enlarges the frames of ROOT (with their masks) to so many lines first. With `--before`, the python
of another installation, that one takes its turn too. Runs of vsodtool and of the bare decoding and flow
(bare_flow.py) take turns, `--rounds` times; medians are printed. `wall` counts the whole process with its
start; `work` leaves out the start, measured as a process that only loads what is needed. CPU seconds are user
and system of the whole process. Peak memory is its largest resident set. This file must not import numpy or
torch: on Linux the peak of a child starts at the size of its parent.
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
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from statistics import median

from davis import find_sequences
from machine import header, publish

HERE = Path(__file__).resolve().parent
_START = "import vsodtool.pipelines.pseudolabel, vsodtool.pipelines.densify.methods.learned"
_ENLARGE = """
import sys, cv2
from pathlib import Path
sys.path.insert(0, sys.argv.pop())
from davis import find_sequences
root, large, lines = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
for sequence in find_sequences(root, sys.argv[4:]):
    for kind, files, how in (("JPEGImages", sequence.frames, cv2.INTER_CUBIC),
                             ("Annotations", sequence.masks, cv2.INTER_NEAREST)):
        (large / kind / sequence.name).mkdir(parents=True)
        for file in files:
            image = cv2.imread(str(file), int(kind == "JPEGImages"))
            size = round(image.shape[1] * lines / image.shape[0] / 2) * 2, lines
            image = cv2.resize(image, size, interpolation=how)
            cv2.imwrite(str(large / kind / sequence.name / file.name), image)
"""


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
    """One process: seconds, of these computing on all cores, peak resident MiB, and what it printed."""

    seconds: float
    computing: float
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
        computing = usage.ru_utime + usage.ru_stime
        return Measured(seconds, computing, usage.ru_maxrss / scale, output.read())


@dataclass
class Runs:
    """Of one installation: seconds of the clock, of the start and of computing, and peak MiB of each run."""

    walls: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    computing: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def measure(case: Case, quality: str, arguments: argparse.Namespace, folder: Path) -> list[list[str]]:
    """Lines of the table, one for each installation."""
    settings = ["--quality", quality, "--backend", arguments.backend, "--device", arguments.device]
    output = folder / "out"
    # -P: of the installation, not of the folder that this runs in.
    own = ["-P", "-m", "vsodtool", "pseudolabel", *case.inputs, "--masks", str(case.masks)]
    own += ["-o", str(output), "--method", arguments.method, "--every", str(case.every), "--quiet", *settings]
    bare = [sys.executable, str(HERE / "bare_flow.py"), *case.inputs, *settings]
    pythons = (
        {"before": arguments.before, "now": sys.executable} if arguments.before else {"": sys.executable}
    )
    runs, bares = {name: Runs() for name in pythons}, []
    for turn in range(arguments.rounds):
        for name, python in pythons.items():
            shutil.rmtree(output, ignore_errors=True)
            runs[name].starts.append(run([python, "-P", "-c", _START]).seconds)
            done = run([python, *own])
            runs[name].walls.append(done.seconds)
            runs[name].computing.append(done.computing)
            runs[name].peaks.append(done.mebibytes)
            found = len(list((output / "masks").rglob("*.png")))
            if found != case.frames:
                raise SystemExit(f"{case.title}: {case.frames} frames, but {found} masks came out")
            about = f"{case.title} {quality} {name} {turn + 1}/{arguments.rounds}"
            print(f"{about}: {done.seconds:.1f} s", file=sys.stderr)
        if not arguments.no_bare:
            report = json.loads(run(bare).output.splitlines()[-1])
            bares.append(report["frames"] / report["seconds"])
    lines = []
    for name, each in runs.items():
        wall, work, bare_rate = (
            median(each.walls),
            median(each.walls) - median(each.starts),
            median(bares or [nan]),
        )
        rate = case.frames / work
        cells = [f"{case.title} {name}", quality, case.frames, f"{wall:.1f}", f"{case.frames / wall:.1f}"]
        cells += [f"{rate:.1f}", f"{median(each.computing) / case.frames:.3f}", f"{bare_rate:.1f}"]
        cells += [f"{rate / bare_rate:.2f}", f"{median(each.peaks):.0f}"]
        lines.append([str(cell) for cell in cells])
    return lines


def cases(arguments: argparse.Namespace, folder: Path) -> list[Case]:
    """What the command line asks for; long videos are generated into `folder`."""
    found = []
    if arguments.root is not None:
        sequences = find_sequences(arguments.root, arguments.sequences)
        if arguments.lines:
            large = folder / f"{arguments.lines}"
            names = [sequence.name for sequence in sequences]
            run(
                [
                    sys.executable,
                    "-c",
                    _ENLARGE,
                    str(arguments.root),
                    str(large),
                    str(arguments.lines),
                    *names,
                    str(HERE),
                ]
            )
            sequences = find_sequences(large)
        masks = sequences[0].masks[0].parent
        found.append(
            Case(
                arguments.root.name + (f", {arguments.lines} lines" if arguments.lines else ""),
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
    parser.add_argument("--method", default="auto")
    parser.add_argument("--lines", type=int, default=0, help="enlarge the frames of ROOT to so many")
    parser.add_argument("--before", help="the python of another installation")
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
        "| video | quality | frames | wall s | frames/s, wall | work | CPU s a frame | bare | work / bare "
        "| peak MiB |"
    )
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for case in cases(arguments, folder):
            for quality in arguments.quality:
                for cells in measure(case, quality, arguments, folder):
                    lines.append(f"| {' | '.join(cells)} |")
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
