"""Frames per second and peak memory of `vsodtool predict`, beside the same network written plainly.

    python benchmarks/predict.py [--networks resnet50 resnet18 mobilenet_v3_large] [--clip-length 4 32]
        [--precision fp32 bf16] [--frames 64] [--rounds 3] [--no-plain] [--device auto] [--out FILE.md]
    python benchmarks/predict.py --memory 300 3000       peak memory of long videos, smallest network

A generated 854x480 video goes in, soft maps come out; weights are random (their values change no speed).
Each run is a process of its own; `frames/s` is the video's own time as the command reports it, `wall` has the
start of the process too. Runs of vsodtool and of plain_predict.py take turns. This file must not import
torch: on Linux the peak of a child starts at the size of its parent.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from machine import header, publish
from throughput import run

HERE = Path(__file__).resolve().parent
SMALLEST = "mobilenet_v3_large"
# Sizes and widths; resnet50 is the paper's network, the others are narrow ones for CPUs.
NETWORKS = {
    "resnet50": {"size": 448},
    "resnet18": {"size": 384, "context_width": 96, "skip_width": 48, "refine_width": 64, "decoder_width": 64},
    SMALLEST: {"size": 384, "context_width": 96, "skip_width": 48, "refine_width": 64, "decoder_width": 64},
}
_MAKE = """
import json, sys, torch
from pathlib import Path
from vsodtool.models.architecture import Architecture
from vsodtool.models.weights.networks import create_network
from vsodtool.models.preprocessing import Preprocessing
from vsodtool.pipelines.networks.save import save_network
values = json.loads(sys.argv[2])
size = values.pop("size")
torch.manual_seed(0)
network = create_network(Architecture(kind="video", backbone=sys.argv[3], **values))
save_network(Path(sys.argv[1]), network, Preprocessing(size=size))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table; rates are medians over the rounds."""

    network: str
    clip_length: int
    precision: str
    frames: int
    rate: float
    wall: float
    mebibytes: float

    def cells(self, plain: float | None) -> str:
        """The line, with the factor over the plain network where that is known."""
        times = f"{self.rate / plain:.2f}" if plain else "-"
        per_clip = self.clip_length / self.rate
        return (
            f"| {self.network} | {self.clip_length} | {self.precision} | {self.frames} | {self.rate:.2f} | "
            f"{per_clip:.2f} | {self.wall:.1f} | {self.mebibytes:.0f} | {times} |"
        )


def make_weights(folder: Path, network: str) -> Path:
    """Random weights of a network, as the tool stores them."""
    path = folder / f"{network}.safetensors"
    if not path.exists():
        subprocess.run(
            [sys.executable, "-c", _MAKE, str(path), json.dumps(NETWORKS[network]), network], check=True
        )
    return path


def make_video(folder: Path, frames: int) -> Path:
    """A generated video of so many frames."""
    place = folder / f"video{frames}"
    run(
        [sys.executable, str(HERE / "long_video.py"), str(place), "--frames", str(frames), "--labels", "ends"]
    )
    return place / "long.mp4"


def predict_once(
    weights: Path, video: Path, output: Path, extra: list[str]
) -> tuple[float, float, float, str]:
    """Seconds on the video, wall seconds, peak MiB and the precision of one run of the command."""
    shutil.rmtree(output, ignore_errors=True)
    own = [sys.executable, "-m", "vsodtool", "predict", str(video), "-o", str(output)]
    done = run([*own, "--weights", str(weights), "--json", "--quiet", *extra])
    report = json.loads(done.output)
    return report["videos"][0]["seconds"], done.seconds, done.mebibytes, report["precision"]


def measure(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """The table over networks, clip lengths and precisions."""
    lines = ["| network | T | precision | frames | frames/s | s a clip | wall s | peak MiB | times plain |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    video = make_video(folder, arguments.frames)
    for network in arguments.networks:
        weights = make_weights(folder, network)
        plain_rates: list[float] = []
        found: dict[tuple[int, str], list[tuple[float, float, float, str]]] = {}
        plain_peak = 0.0
        for turn in range(arguments.rounds):
            if not arguments.no_plain:
                clips = max(1, min(arguments.frames // 4, 4))
                script = [sys.executable, str(HERE / "plain_predict.py"), str(weights), str(video)]
                done = run([*script, str(folder / "plain"), "--clips", str(clips)])
                report = json.loads(done.output)
                plain_rates.append(report["frames"] / report["seconds"])
                plain_peak = max(plain_peak, done.mebibytes)
            for length in arguments.clip_length:
                for precision in arguments.precision:
                    extra = ["--clip-length", str(length), "--precision", precision]
                    extra += ["--device", arguments.device]
                    result = predict_once(weights, video, folder / "out", extra)
                    found.setdefault((length, precision), []).append(result)
                    print(f"{network} T={length} {precision} {turn + 1}: {result[0]:.1f} s", file=sys.stderr)
        plain = median(plain_rates) if plain_rates else None
        if plain:
            cells = [network, "4", "plain, fp32", "-", f"{plain:.2f}", f"{4 / plain:.2f}", "-"]
            lines.append(f"| {' | '.join(cells)} | {plain_peak:.0f} | 1 |")
        for (length, precision), results in found.items():
            seconds, wall, peak = (median(result[index] for result in results) for index in range(3))
            used = precision if precision == results[0][3] else f"{precision} = {results[0][3]}"
            row = Row(network, length, used, arguments.frames, arguments.frames / seconds, wall, peak)
            lines.append(row.cells(plain))
    return lines


def measure_memory(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Peak memory against the length of the video."""
    lines = ["| network | frames | frames/s | peak MiB | of the shortest |", "|---|---|---|---|---|"]
    weights = make_weights(folder, SMALLEST)
    shortest = None
    for frames in arguments.memory:
        video = make_video(folder, frames)
        seconds, _, peak, _ = predict_once(weights, video, folder / "out", ["--device", arguments.device])
        shortest = shortest or peak
        lines.append(
            f"| {SMALLEST} | {frames} | {frames / seconds:.1f} | {peak:.0f} | {peak / shortest:.2f} |"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--clip-length", nargs="+", type=int, default=[4, 32])
    parser.add_argument("--precision", nargs="+", default=["fp32", "bf16", "auto"])
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain network out")
    parser.add_argument("--memory", nargs="+", type=int, default=[], help="lengths of videos")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    lines = ["## predict.py", "", *header(), ""]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = measure_memory if arguments.memory else measure
        lines += work(arguments, folder)
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
