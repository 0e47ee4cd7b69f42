"""Scores of detectors on videos with masks, beside two floors that need no learning; frames per second.

    python benchmarks/detector.py ROOT [--weights NAME|FILE ...] [--smooth auto on off] [--work FOLDER]
        [--per-video] [--out FILE.md]

ROOT is a DAVIS-style folder. S, max F and MAE are those of `evaluate --protocol davsod`, J that of
`--protocol davis` (maps at 0.5). The floors: the same Gaussian in every frame, and the length of the flow to
the next frame, as estimated and without the camera's share (`ops.motion_maps.camera_motion`). frames/s is
`predict`'s own time, from files to files. "default" stands for what `predict` uses without --weights. With
--work the maps stay.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from davis import Sequence, find_sequences
from machine import header, publish
from torch import Tensor

from vsodtool.config import EvaluateConfig, PredictConfig
from vsodtool.media.images import read_rgb, write_png
from vsodtool.models.flow.dis import motion_estimator
from vsodtool.ops.motion.maps import camera_motion
from vsodtool.ops.network_image import to_frame_size, to_network_image
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.predict import run_predict

SIDE = 256  # at which the floors are computed
DEFAULT = "default"
SCORES = (
    ("S", "davsod", "s_measure"),
    ("max F", "davsod", "max_f"),
    ("MAE", "davsod", "mae"),
    ("J", "davis", "j_mean"),
)
Floor = Callable[[Sequence], Iterator[Tensor]]


def centre(sequence: Sequence) -> Iterator[Tensor]:
    """A Gaussian in the middle, its standard deviation a fifth of each side, in every frame."""
    place = torch.linspace(-0.5, 0.5, SIDE)
    line = torch.exp(-0.5 * (place / 0.2) ** 2)
    for _ in sequence.frames:
        yield line[:, None] * line[None]


def flow_length(sequence: Sequence) -> Iterator[Tensor]:
    """The length of the flow to the next frame; the last frame repeats the one before."""
    return _lengths(sequence, lambda flow: flow)


def motion_length(sequence: Sequence) -> Iterator[Tensor]:
    """The same, the motion of the camera taken away."""
    return _lengths(sequence, lambda flow: flow - camera_motion(flow))


FLOORS: dict[str, Floor] = {
    "centre": centre,
    "length of the flow": flow_length,
    "the same without the camera": motion_length,
}


def _lengths(sequence: Sequence, change: Callable[[Tensor], Tensor]) -> Iterator[Tensor]:
    estimator = motion_estimator()
    images = (to_network_image(read_rgb(frame), SIDE)[None].float() / 255 for frame in sequence.frames)
    last = torch.zeros(SIDE, SIDE)
    for image, following in pairwise(images):
        last = change(estimator.estimate(image, following)).square().sum(1).sqrt()[0]
        yield last / last.max().clamp_min(1e-6)
    yield last / last.max().clamp_min(1e-6)


def write_floor(floor: Floor, sequences: list[Sequence], out: Path) -> None:
    """The maps of a floor, as `predict` would write them."""
    for sequence in sequences:
        for frame, values in zip(sequence.frames, floor(sequence), strict=True):
            size = read_rgb(frame).shape[:2]
            large = to_frame_size(values[None, None], (size[0], size[1]))[0, 0]
            path = out / "soft" / sequence.name / f"{frame.stem}.png"
            write_png(path, np.asarray((large * 255 + 0.5).to(torch.uint8)))


def predict(weights: str, root: Path, out: Path, smooth: str) -> float:
    """The maps of a detector; frames per second."""
    named = "" if weights == DEFAULT else weights
    config = PredictConfig(inputs=(str(root),), output=out, weights=named, smooth=smooth, overwrite=True)
    report = run_predict(config)
    return sum(video.generated for video in report.videos) / sum(video.seconds for video in report.videos)


def score(out: Path, root: Path) -> dict[str, dict[str, float]]:
    """Column -> {video: score}, the mean under the name ""."""
    found: dict[str, dict[str, float]] = {}
    for protocol in ("davsod", "davis"):
        config = EvaluateConfig(predictions=(str(out),), ground_truth=str(root), protocol=protocol)
        answer = run_evaluate(config, processes=True).as_dict()
        for column, wanted, name in SCORES:
            if wanted == protocol:
                videos = {video: scores[name] for video, scores in answer["videos"].items()}
                found[column] = {"": answer["scores"][name], **videos}
    return found


def table(title: str, column: str, methods: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """One score of every video, a column for each method."""
    videos = sorted({video for scores in methods.values() for video in scores[column]} - {""})
    lines = [f"{title}:", "", f"| video | {' | '.join(methods)} |", "|---" * (len(methods) + 1) + "|"]
    for video in videos:
        cells = [f"{scores[column][video]:.3f}" for scores in methods.values()]
        lines.append(f"| {video} | {' | '.join(cells)} |")
    return lines


def measure(arguments: argparse.Namespace, work: Path) -> list[str]:
    """All rows."""
    sequences = find_sequences(arguments.root)
    columns = [column for column, _, _ in SCORES]
    lines = [f"| | {' | '.join(columns)} | frames/s |", "|---" * (len(columns) + 2) + "|"]
    methods: dict[str, dict[str, dict[str, float]]] = {}
    ways = [(name, smooth) for name in arguments.weights for smooth in arguments.smooth]
    for number, (name, smooth) in enumerate([*((floor, "") for floor in FLOORS), *ways]):
        out, rate = work / f"{number}", "-"
        if name in FLOORS:
            write_floor(FLOORS[name], sequences, out)
        else:
            rate = f"{predict(name, arguments.root, out, smooth):.1f}"
        method = f"{name}, smooth {smooth}" if smooth and len(arguments.smooth) > 1 else name
        methods[method] = score(out, arguments.root)
        print(f"{method}: done", file=sys.stderr)
        cells = [f"{methods[method][column]['']:.3f}" for column in columns]
        lines.append(f"| {method} | {' | '.join(cells)} | {rate} |")
    if arguments.per_video:
        lines += ["", *table("S-measure of each video", "S", methods)]
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style folder with a mask for every frame")
    parser.add_argument("--weights", nargs="+", default=[DEFAULT], metavar="NAME|FILE")
    parser.add_argument("--smooth", nargs="+", default=["auto"], help="of `predict`, one or several")
    parser.add_argument("--work", type=Path, help="folder for the maps, kept; must be new")
    parser.add_argument("--per-video", action="store_true", help="also the S-measure of each video")
    parser.add_argument("--out", type=Path, help="also append the figures to this file")
    arguments = parser.parse_args()
    lines = ["## detector.py", "", *header(), ""]
    with tempfile.TemporaryDirectory() as temporary:
        lines += measure(arguments, arguments.work or Path(temporary))
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
