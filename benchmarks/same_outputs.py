"""Are the results of vsodtool still the same, byte for byte? Record them before a change, compare after it.

    python benchmarks/same_outputs.py --record FILE [--vsodtool PATH] [--data FOLDER] [--frames 30]
                                      [--sequences bmx-trees camel] [--keep FOLDER]
    python benchmarks/same_outputs.py --compare FILE [--only pseudolabel,predict,flow,evaluate] ...
    python benchmarks/same_outputs.py --compare FILE --only pseudolabel/warp-fast,flow/balanced

Runs the command line of any version (by default of the one beside this Python) on two sequences of
FOLDER/davis-dev and a video of FOLDER/videos:

- `pseudolabel`: every method at every quality with each tenth mask; the paper's method with a full-size
  network of random weights under the authors' names, against which `auto` must take warp; two objects in
  one mask, and frames behind the last mask; a video file;
- `predict` with the weights that come along, and once with mirroring and clips that overlap;
- `flow` in both directions at every quality, and its other formats;
- `evaluate` of some of these outputs under all four protocols.

FILE has a line `sha256  relative/name` for every output that carries results, sorted by name; in a folder
that was kept, `sha256sum -c FILE` understands it. Left out are manifests (times, versions, paths) and what
`evaluate` says of seconds and paths; its numbers are rounded to six decimals, as the order of a sum is no
result. --compare looks only at the runs asked for, prints what differs, is missing or is new, and ends with 1
if anything does. All runs are on the CPU in two threads: other processors and versions of the libraries may
round otherwise, so both recordings belong to one machine and to like environments.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from davis import Sequence, find_sequences
from machine import ROOT
from parts import link_part

PARTS = ("pseudolabel", "predict", "flow", "evaluate")
QUALITIES = ("fast", "balanced", "best")
METHODS = ("auto", "fgplg", "warp")
PROTOCOLS = ("davsod", "pysod", "toolbox", "davis")
EVALUATED = ("pseudolabel/warp-fast", "pseudolabel/auto-balanced", "predict/plain")
SHORT = 12  # frames, where many or slow runs are made
_CHECKPOINT = """
import runpy, sys, torch
torch.save(runpy.run_path(sys.argv[1])["_published_weights"]("fgplg"), sys.argv[2])
"""
NOT_OF_RESULTS = {"predictions", "ground_truth", "files", "seconds", "dry_run"}


@dataclass(frozen=True)
class Run:
    """One call of the command.

    Attributes:
        name: of its output folder, `part/...`.
        words: of the command line, without the output folder.
    """

    name: str
    words: tuple[str | Path, ...]


class Tool:
    """The command to be tested.

    Args:
        path: the executable.
        work: the folder it runs in, below which all outputs lie.
    """

    def __init__(self, path: Path, work: Path) -> None:
        self._path = path
        self._work = work

    def help(self, command: str) -> str:
        """What --help prints."""
        return self._call(command, "--help")

    def run(self, *words: str | Path) -> str:
        """Run a command on the CPU; returns its stdout. Its stderr and its seconds are shown.

        Raises:
            SystemExit: it failed.
        """
        wall, cpu = time.perf_counter(), sum(os.times()[2:4])
        printed = self._call(*words, "--device", "cpu", "--workers", "2", "--quiet")
        wall, cpu = time.perf_counter() - wall, sum(os.times()[2:4]) - cpu
        shown = " ".join(["vsodtool", *map(str, words)])
        print(f"{wall:6.1f} s, CPU {cpu:6.1f} s  {shown}", file=sys.stderr, flush=True)
        return printed

    def _call(self, *words: str | Path) -> str:
        command = [str(self._path), *map(str, words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=self._work, check=False)
        if done.returncode:
            raise SystemExit(f"exit status {done.returncode} of: {' '.join(command)}")
        return done.stdout


def pseudolabel_runs(root: Path, short: Path, videos: Path, tool: Tool) -> list[Run]:
    """Methods and qualities on `root`; what is slow or special on `short`, a root of one sequence."""
    extra = ("--soft", "--confidence")
    tenth = ("pseudolabel", root, "--masks", root, "--every", "10", *extra)
    runs = [
        Run(f"pseudolabel/{method}-{quality}", (*tenth, "--method", method, "--quality", quality))
        for method in METHODS
        for quality in QUALITIES
    ]
    weights = make_checkpoint(short.parent / "fgplg.pth")
    flag = "--label-flow" if "--label-flow" in tool.help("pseudolabel") else "--flow"  # its earlier name
    paper = ("pseudolabel", short, "--masks", short, *extra, "--quality", "fast", "--weights", weights)
    for flow in ("composed", "direct"):
        own = ("--every", "10", "--method", "fgplg", flag, flow)
        runs.append(Run(f"pseudolabel/paper-{flow}", (*paper, *own)))
    runs.append(Run("pseudolabel/auto-takes-warp", (*paper, "--every", "5", "--method", "auto")))
    objects = ("pseudolabel", short, "--masks", make_objects(short, short.parent / "objects"), *extra)
    for method in ("fgplg", "warp"):
        runs.append(Run(f"pseudolabel/objects-{method}", (*objects, "--method", method)))
    video = ("pseudolabel", videos / "chair.mp4", "--masks", videos / "chair_masks", "--every", "20", *extra)
    runs.append(Run("pseudolabel/video-file", (*video, "--method", "warp", "--quality", "fast")))
    return runs


def predict_runs(root: Path, short: Path) -> list[Run]:
    """The defaults on `root`, and what costs more on `short`."""
    options = ("--mirror", "--stride", "2", "--smooth", "off")
    return [
        Run("predict/plain", ("predict", root, "--masks")),
        Run("predict/mirror-overlap", ("predict", short, "--masks", *options)),
    ]


def flow_runs(short: Path) -> list[Run]:
    """Qualities, formats, directions, steps."""
    both = ("flow", short, "--direction", "both")
    runs = [Run(f"flow/{quality}", (*both, "--quality", quality)) for quality in QUALITIES]
    runs.append(Run("flow/png-step2", (*both, "--format", "png", "--step", "2", "--preview")))
    runs.append(Run("flow/npz", ("flow", short, "--format", "npz")))
    return runs


def evaluate(tool: Tool, work: Path, root: Path) -> None:
    """Scores of the outputs `EVALUATED`, below work/evaluate."""
    (work / "evaluate").mkdir()
    outputs = [work / name for name in EVALUATED]
    for protocol in PROTOCOLS:
        words = ("--ground-truth", root, "--protocol", protocol, "--json")
        printed = tool.run("evaluate", *outputs, *words)
        given = tool.run("evaluate", outputs[0], *words, "--skip-given")
        for name, text in ((protocol, printed), (f"{protocol}-skip-given", given)):
            scores = json.dumps(scores_only(json.loads(text)), indent=1, sort_keys=True)
            (work / "evaluate" / f"{name}.json").write_text(f"{scores}\n", encoding="utf-8")


def scores_only(value: Any) -> Any:
    """A report of `evaluate` without paths and times, numbers to six decimals."""
    if isinstance(value, dict):
        return {key: scores_only(item) for key, item in value.items() if key not in NOT_OF_RESULTS}
    if isinstance(value, list):
        return [scores_only(item) for item in value]
    return round(value, 6) + 0.0 if isinstance(value, float) else value  # + 0.0: no -0.0


def make_checkpoint(path: Path) -> Path:
    """The paper's densifier as its authors store it, with the random weights that the tests use."""
    tests = ROOT / "tests" / "conftest.py"
    subprocess.run([sys.executable, "-c", _CHECKPOINT, str(tests), str(path)], check=True)
    return path


def make_objects(root: Path, folder: Path) -> Path:
    """Masks of a root's first and eleventh frame, the object cut in two, numbered 1 and 2, by its columns."""
    for sequence in find_sequences(root):
        (folder / sequence.name).mkdir(parents=True)
        for file in sequence.masks[0:11:10]:
            inside = np.asarray(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)) > 127
            right = np.arange(inside.shape[1]) > np.median(inside.nonzero()[1])
            cv2.imwrite(
                str(folder / sequence.name / file.name), np.where(inside, 1 + right, 0).astype(np.uint8)
            )
    return folder


def fingerprints(work: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of every result in these folders below `work`, by relative name."""
    found = {}
    for name in names:
        for path in (work / name).rglob("*"):
            if path.is_file() and not path.name.startswith(".") and path.name != "manifest.json":
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                found[path.relative_to(work).as_posix()] = digest
    return found


def write_record(path: Path, found: dict[str, str]) -> None:
    """Lines `sha256  relative/name`, sorted by name."""
    lines = [f"{found[name]}  {name}\n" for name in sorted(found)]
    path.write_text("".join(lines), encoding="utf-8")


def is_chosen(name: str, only: Iterable[str]) -> bool:
    """Whether a run or a file is one of these, or lies below one of them."""
    return any(name == chosen or name.startswith(f"{chosen}/") for chosen in only)


def read_record(path: Path, only: Iterable[str]) -> dict[str, str]:
    """What `write_record` wrote, of some parts or runs."""
    lines = [line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return {name: digest for digest, name in lines if is_chosen(name, only)}


def differences(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """A line for each file that differs, is missing or is new, sorted by name."""
    lines = []
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            lines.append(f"missing  {name}")
        elif name not in before:
            lines.append(f"new      {name}")
        elif before[name] != after[name]:
            lines.append(f"differs  {name}")
    return lines


def link_inputs(folder: Path, sequences: list[Sequence], frames: int) -> tuple[Path, Path]:
    """A root of the first frames of all sequences, and one of still fewer of the first sequence."""

    def first(count: int, most: int) -> range:
        return range(min(count, most))

    root = link_part(folder / "frames", sequences, lambda count: first(count, frames))
    short = link_part(folder / "short", sequences[:1], lambda count: first(count, min(frames, SHORT)))
    return root, short


def make_outputs(arguments: argparse.Namespace, work: Path) -> dict[str, str]:
    """Run all that was asked for; the fingerprints of its results."""
    tool = Tool(arguments.vsodtool.absolute(), work)
    data, only = arguments.data.resolve(), arguments.only
    sequences = find_sequences(data / "davis-dev", arguments.sequences)
    root, short = link_inputs(work / "input", sequences, arguments.frames)
    runs = flow_runs(short) + predict_runs(root, short)
    if any(name == "evaluate" or name.startswith("pseudolabel") for name in only):
        runs += pseudolabel_runs(root, short, data / "videos", tool)
    if unknown := set(only) - set(PARTS) - {run.name for run in runs}:
        raise SystemExit(f"no such runs: {', '.join(sorted(unknown))}")
    for run in runs:
        if is_chosen(run.name, only) or ("evaluate" in only and run.name in EVALUATED):
            tool.run(*run.words, "-o", work / run.name)
    if "evaluate" in only:
        evaluate(tool, work, root)
    return fingerprints(work, only)


def main() -> None:
    """Run, record, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, metavar="FILE")
    parser.add_argument("--compare", type=Path, metavar="FILE")
    parser.add_argument("--vsodtool", type=Path, default=Path(sys.executable).with_name("vsodtool"))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--sequences", nargs="+", default=["bmx-trees", "camel"])
    parser.add_argument("--frames", type=int, default=30, help="of each sequence, from its start")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(PARTS), metavar="NAME,...")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the outputs in this new folder")
    arguments = parser.parse_args()
    if arguments.record is None and arguments.compare is None:
        parser.error("say --record FILE or --compare FILE")
    if arguments.frames < SHORT:
        parser.error(f"--frames must be at least {SHORT}")
    if arguments.compare is not None and not arguments.compare.is_file():
        parser.error(f"{arguments.compare} is missing: record it first")
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True)
        found = make_outputs(arguments, arguments.keep.resolve())
    else:
        with tempfile.TemporaryDirectory() as temporary:
            found = make_outputs(arguments, Path(temporary).resolve())
    if arguments.record is not None:
        write_record(arguments.record, found)
        print(f"{arguments.record}: {len(found)} files")
    if arguments.compare is not None:
        lines = differences(read_record(arguments.compare, arguments.only), found)
        print("\n".join([*lines, f"{len(found)} files, {len(lines)} not as in {arguments.compare}"]))
        sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
