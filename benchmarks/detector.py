"""Scores of detectors on videos with masks, beside two floors that need no learning; frames per second.

    python benchmarks/detector.py ROOT [--weights NAME|FILE ...] [--smooth auto on off]
        [--maps NAME=FOLDER ...] [--combine mean:A,B product:A,B ...] [--work FOLDER] [--per-video]
        [--out FILE.md]

ROOT is a DAVIS-style folder. S, max F and MAE are those of `evaluate --protocol davsod`, J that of
`--protocol davis` (maps at 0.5). The floors: the same Gaussian in every frame, and the length of the flow to
the next frame, as estimated and without the camera's share (`ops.motion_maps.camera_motion`). frames/s is
`predict`'s own time, from files to files. "default" stands for what `predict` uses without --weights. With
--work the maps stay.

--maps scores maps that were made elsewhere, an output of `predict` or FOLDER/<video>/<frame>.png, under a
name. --combine joins two rows of the table map by map: their mean, or the square root of their product, which
is high only where both are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import torch
from davis import Sequence, find_sequences
from machine import header, publish
from torch import Tensor

from vsodtool.config import EvaluateConfig, PredictConfig
from vsodtool.media.images import read_grey, read_rgb, write_png
from vsodtool.models.flow.by_patches import motion_estimator
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
Map = np.ndarray[tuple[int, int], np.dtype[np.float64]]
JOINS: dict[str, Callable[[Map, Map], Map]] = {
    "mean": lambda one, other: (one + other) / 2,
    "product": lambda one, other: np.sqrt(one * other),
}


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


def write_joined(how: str, folders: tuple[Path, Path], sequences: list[Sequence], out: Path) -> None:
    """Two maps of every frame joined, as `predict` would write them."""
    for sequence in sequences:
        for frame in sequence.frames:
            name = Path(sequence.name, f"{frame.stem}.png")
            one, other = (read_grey(maps_in(folder) / name) / 255 for folder in folders)
            write_png(out / "soft" / name, np.round(JOINS[how](one, other) * 255).astype(np.uint8))


def maps_in(folder: Path) -> Path:
    """Where the maps lie in a folder that may be an output of `predict`."""
    return folder / "soft" if (folder / "soft").is_dir() else folder


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
    folders: dict[str, Path] = {}

    def row(method: str, out: Path, rate: str = "-") -> None:
        folders[method] = out
        methods[method] = score(out, arguments.root)
        print(f"{method}: done", file=sys.stderr)
        cells = [f"{methods[method][column]['']:.3f}" for column in columns]
        lines.append(f"| {method} | {' | '.join(cells)} | {rate} |")

    for number, (name, floor) in enumerate(FLOORS.items()):
        write_floor(floor, sequences, work / f"{number}")
        row(name, work / f"{number}")
    for number, (name, smooth) in enumerate(product(arguments.weights, arguments.smooth), len(FLOORS)):
        rate = predict(name, arguments.root, work / f"{number}", smooth)
        method = f"{name}, smooth {smooth}" if len(arguments.smooth) > 1 else name
        row(method, work / f"{number}", f"{rate:.1f}")
    for name, folder in arguments.maps:
        row(name, Path(folder))
    for how, names in arguments.combine:
        one, other = (folders[name] for name in names.split(","))
        out = work / f"{len(folders)}"
        write_joined(how, (one, other), sequences, out)
        row(f"{how} of {names.replace(',', ' and ')}", out)
    if arguments.per_video:
        lines += ["", *table("S-measure of each video", "S", methods)]
    return lines


def pair(separator: str) -> Callable[[str], tuple[str, str]]:
    """What argparse makes of NAME=FOLDER and HOW:A,B."""

    def split(text: str) -> tuple[str, str]:
        first, found, second = text.partition(separator)
        if not found or not first or not second:
            raise argparse.ArgumentTypeError(f"expected two parts with '{separator}' between, found '{text}'")
        return first, second

    return split


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="DAVIS-style folder with a mask for every frame")
    parser.add_argument("--weights", nargs="*", default=[DEFAULT], metavar="NAME|FILE")
    parser.add_argument("--smooth", nargs="+", default=["auto"], help="of `predict`, one or several")
    parser.add_argument(
        "--maps", nargs="+", default=[], metavar="NAME=FOLDER", type=pair("="), help="made elsewhere"
    )
    parser.add_argument(
        "--combine",
        nargs="+",
        default=[],
        metavar="HOW:A,B",
        type=pair(":"),
        help="rows A and B of the table, joined by mean or product",
    )
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
