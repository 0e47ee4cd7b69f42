"""Where the CPU seconds of `vsodtool pseudolabel` go, by stage, beside those of another installation.

    python benchmarks/stages.py ROOT [--sequences NAME ...] [--every 10] [--quality balanced] [--method auto]
                                [--before PYTHON] [--rounds 3] [--out FILE.md]

`ROOT` is a DAVIS-style root. Every run is a process of its own with one thread for each piece of work; with
`--before`, the python of another installation, both take turns, so that a busy machine slows both alike.
Seconds are of computing (`time.thread_time`), not of the clock: each stage without the stages that it calls.
`rest` is what the process spent beside all of them, without its start and the loading of the network, which
a dry run measures. Medians over rounds are printed. Stages that an older installation does not have are left
out there.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from davis import find_sequences
from machine import header, publish

_DENSIFY = "vsodtool.pipelines.densify"
# Functions by stage; methods as module:Class.method.
STAGES = {
    "decode": ("vsodtool.media.images:decode_picture",),
    "fit of the masks": (f"{_DENSIFY}.mask_fit:check_fit",),
    "cuts": ("vsodtool.pipelines.running.shots:find_shots",),
    "coarse flow": (f"{_DENSIFY}.motion:CoarseMotion._compute",),
    "boxes": (f"{_DENSIFY}.motion:CoarseMotion.places",),
    "adjacent flow": (f"{_DENSIFY}.motion:Motion._fine_flow",),
    "second flow": (f"{_DENSIFY}.filling.evidence:side_evidence",),
    "carry": ("vsodtool.ops.labels.propagation:carry",),
    "keep sides": (
        f"{_DENSIFY}.filling.evidence:SideStore.put",
        f"{_DENSIFY}.filling.evidence:SideStore.take",
    ),
    "fusion": ("vsodtool.ops.labels.rules:label_by_rules",),
    "search": ("vsodtool.ops.labels.matching:match_owners",),
    "edges": ("vsodtool.ops.labels.edges:align_to_edges",),
    "network": (
        "vsodtool.models.evidence.densifier:EvidenceDensifier.decide",  # of older installations
        "vsodtool.models.evidence.densifier:EvidenceDensifier.decide_together",
        "vsodtool.models.evidence.densifier:EvidenceDensifier.look",
        "vsodtool.models.evidence.densifier:EvidenceDensifier.remember",
    ),
    "around the network": (
        f"{_DENSIFY}.methods.learned:LearnedMethod.generate",
        f"{_DENSIFY}.methods.learned:LearnedMethod.generate_together",
    ),
    "smoothing": (
        f"{_DENSIFY}.filling.smoothing:SmoothingWindow.smoothed",
        f"{_DENSIFY}.filling.smoothing:SmoothingWindow.add",
    ),
    "specks and lines": (f"{_DENSIFY}.filling.cleaning:clean",),
    "what is missing": (f"{_DENSIFY}.filling.keeping:keep_shown",),
    "encode": (
        f"{_DENSIFY}.filling.label:LabelWriter.write_generated",
        f"{_DENSIFY}.filling.label:LabelWriter.write_given",
    ),
}


class Clock:
    """Seconds of computing by stage, of all threads, each without those of stages inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock, self._own = threading.Lock(), threading.local()

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its seconds counted."""

        def timed(*arguments: Any, **named: Any) -> Any:
            inside: list[float] = self._own.__dict__.setdefault("inside", [0.0])
            inside.append(0.0)
            begun = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent = time.thread_time() - begun
                nested = inside.pop()
                inside[-1] += spent
                with self._lock:
                    self.seconds[stage] += spent - nested

        return timed


def watch(clock: Clock) -> None:
    """Put the clock around every function of STAGES, wherever it was imported to."""
    for stage, places in STAGES.items():
        for place in places:
            name, _, path = place.partition(":")
            try:
                module = importlib.import_module(name)
                *classes, attribute = path.split(".")
                owner = getattr(module, classes[0]) if classes else module
                original = getattr(owner, attribute)
            except (ImportError, AttributeError):
                print(f"no {place} here", file=sys.stderr)
                continue
            timed = clock.around(stage, original)
            if classes:
                setattr(owner, attribute, timed)
                continue
            for other in list(sys.modules.values()):
                if getattr(other, "__name__", "").startswith("vsodtool") and (
                    getattr(other, attribute, None) is original
                ):
                    setattr(other, attribute, timed)


def measure(arguments: argparse.Namespace) -> None:
    """One run in this process, printed as JSON."""
    from dataclasses import replace

    import torch

    from vsodtool.config import PseudoLabelConfig
    from vsodtool.pipelines.pseudolabel import run_pseudolabel

    torch.set_num_threads(1)
    sequences = find_sequences(arguments.root, arguments.sequences)
    masks = sequences[0].masks[0].parent
    with tempfile.TemporaryDirectory() as folder:
        config = PseudoLabelConfig(
            inputs=tuple(str(sequence.frames[0].parent) for sequence in sequences),
            masks=(str(masks.parent if len(sequences) > 1 else masks),),
            output=Path(folder) / "out",
            method=arguments.method,
            quality=arguments.quality,
            every=arguments.every,
        )
        run_pseudolabel(replace(config, dry_run=True))
        clock = Clock()
        watch(clock)
        begun = time.process_time()
        report = run_pseudolabel(config)
        whole = time.process_time() - begun
    made = sum(video.generated for video in report.videos)
    stages = {stage: clock.seconds[stage] for stage in STAGES if stage in clock.seconds}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"frames": made, "stages": stages, "whole": whole, "peak": peak}))


def run(python: str, arguments: list[str]) -> dict[str, Any]:
    """A run in a process of its own."""
    command = [python, str(Path(__file__).resolve()), *arguments, "--measure"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=_one_thread())
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--sequences", nargs="+")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--quality", default="balanced", choices=["fast", "balanced", "best"])
    parser.add_argument("--method", default="auto")
    parser.add_argument("--before", help="the python of another installation")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments)
        return
    passed = [str(arguments.root), "--every", str(arguments.every), "--quality", arguments.quality]
    passed += ["--method", arguments.method]
    passed += ["--sequences", *arguments.sequences] if arguments.sequences else []
    pythons = (
        {"before": arguments.before, "now": sys.executable} if arguments.before else {"": sys.executable}
    )
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in pythons}
    for _ in range(arguments.rounds):
        for name, python in pythons.items():
            rounds[name].append(run(python, passed))
            print(f"{name}: {rounds[name][-1]['whole']:.1f} CPU s", file=sys.stderr)
    lines = ["## stages.py", "", *header(), "", "CPU milliseconds for each frame that was made:", ""]
    lines += ["| stage |" + "".join(f" {name} ms | share |" for name in pythons)]
    lines += ["|---|" + "---:|---:|" * len(pythons)]
    for stage in [*STAGES, "rest", "whole"]:
        cells = ""
        for results in rounds.values():
            spent = median(_spent(result, stage) for result in results)
            whole = median(result["whole"] for result in results)
            cells += f" {1000 * spent / results[0]['frames']:.1f} | {spent / whole:.0%} |"
        lines.append(f"| {stage} |{cells}")
    peaks = (median(result["peak"] for result in results) for results in rounds.values())
    lines += [f"| peak memory, MiB |{''.join(f' {peak:.0f} | |' for peak in peaks)}"]
    publish(lines, arguments.out)


def _spent(result: dict[str, Any], stage: str) -> float:
    whole, stages = float(result["whole"]), result["stages"]
    if stage == "whole":
        return whole
    return whole - sum(stages.values()) if stage == "rest" else float(stages.get(stage, 0.0))


if __name__ == "__main__":
    main()
