"""How good are the labels of two objects that pass before each other, and how many specks are there?

    python benchmarks/objects.py ROOT [--pairs BELOW+ABOVE ...] [--alone NAME ...] [--crowd N ...]
                                      [--methods auto fgplg warp] [--every 10] [--quality balanced]
                                      [--size 1280x720 --frames 287] [--work DIR] [--out FILE.md]

Pairs are made of sequences of a DAVIS-style root: the object of one is pasted, with its own motion, over
another, so the truth is exact. Islands are parts of a label that touch no pixel of the truth, per object and
frame. Given frames are not scored. With --alone also single sequences, as they are. With --size all are
enlarged to so many pixels, and played to and fro until there are --frames of them; times are of the whole
run, without the start of Python.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from davis import Sequence, find_sequences
from machine import header, publish

from vsodtool.media.output.tables.objects_csv import read_objects_csv
from vsodtool.metrics import region_j, spearman

PAIRS = ("camel+bmx-trees", "dance-twirl+breakdance", "drift-straight+kite-surf", "parkour+scooter-black")
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Film:
    """Frames and their truth on disk.

    Attributes:
        name: of its folders below `frames` and `truth`.
        count: of its frames.
        ids: of its objects.
    """

    name: str
    count: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Score:
    """Of one object in one frame."""

    video: str
    id: int
    j: float
    parts: int
    true_parts: int
    islands: int
    confidence: float
    frame_confidence: float


@dataclass(frozen=True)
class Took:
    """What labelling took.

    Attributes:
        frames: all of them.
        wall: seconds.
        cpu: seconds of all threads.
    """

    frames: int = 0
    wall: float = 0.0
    cpu: float = 0.0

    def __add__(self, other: Took) -> Took:
        return Took(self.frames + other.frames, self.wall + other.wall, self.cpu + other.cpu)


def paste(below: Sequence, above: Sequence, work: Path) -> Film:
    """The object of one sequence over another, as long as the shorter of the two; 1 is below, 2 above."""
    name = f"{below.name}+{above.name}"
    # The pair is as long as the shorter of the two.
    pairs = list(zip(below.frames, below.masks, above.frames, above.masks, strict=False))
    for number, (frame_a, mask_a, frame_b, mask_b) in enumerate(pairs):
        under, over = cv2.imread(str(frame_a)), cv2.imread(str(frame_b))
        height, width = under.shape[:2]
        over = cv2.resize(over, (width, height))
        inside = cv2.resize(
            _drawn(mask_b).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        ).astype(bool)
        alpha = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)[..., None]
        frame = (over * alpha + under * (1 - alpha)).astype(np.uint8)
        truth = np.where(inside, 2, np.where(_drawn(mask_a), 1, 0)).astype(np.uint8)
        _write(work, name, number, frame, truth)
    return Film(name, len(pairs), (1, 2))


def alone(sequence: Sequence, work: Path) -> Film:
    """A sequence as it is, its object as 1."""
    for number, (frame, mask) in enumerate(zip(sequence.frames, sequence.masks, strict=True)):
        _write(work, sequence.name, number, cv2.imread(str(frame)), _drawn(mask).astype(np.uint8))
    return Film(sequence.name, len(sequence.frames), (1,))


def crowd(count: int, work: Path, *, frames: int = 21) -> Film:
    """So many things of 60 x 60 pixels, each with its texture and way, at 5 x 4 places of 854 x 480."""
    random, size, side = np.random.default_rng(count), (480, 854), 60
    ground = _texture(random, (size[0] + 40, size[1] + 40))
    things = [_texture(random, (side, side)) for _ in range(count)]
    steps = random.integers(-2, 3, (count, 2))
    places = random.permutation(20)[:count]
    name = f"crowd-{count}"
    for number in range(frames):
        frame = ground[number : number + size[0], :][:, : size[1]].copy()
        truth = np.zeros(size, np.uint8)
        for id_, (thing, step, place) in enumerate(zip(things, steps, places, strict=True), start=1):
            top, left = (
                30 + 110 * (place // 5) + step[0] * number // 2,
                60 + 160 * (place % 5) + step[1] * number,
            )
            frame[top : top + side, left : left + side] = thing
            truth[top : top + side, left : left + side] = id_
        _write(work, name, number, frame, truth)
    return Film(name, frames, tuple(range(1, count + 1)))


def enlarge(film: Film, work: Path, size: tuple[int, int], count: int) -> Film:
    """The same, enlarged to a width and a height, forwards and backwards until there are so many frames."""
    name = f"{film.name}-{size[0]}x{size[1]}"
    there = list(range(film.count))
    order = (there + there[-2:0:-1]) * (count // film.count + 1)
    for number, index in enumerate(order[:count]):
        frame = cv2.imread(str(work / "frames" / film.name / f"{index:05d}.jpg"))
        truth = cv2.imread(str(work / "truth" / film.name / f"{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC)
        truth = cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST)
        _write(work, name, number, frame.astype(np.uint8), truth.astype(np.uint8))
    return Film(name, count, film.ids)


def _texture(random: np.random.Generator, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    grain = cv2.GaussianBlur(random.normal(0, 1, (*size, 3)).astype(np.float32), (0, 0), 3)
    colour = random.uniform(60, 200, 3)
    texture: npt.NDArray[np.uint8] = np.clip(colour + 400 * grain, 0, 255).astype(np.uint8)
    return texture


def _drawn(path: Path) -> npt.NDArray[np.bool_]:
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 127


def _write(work: Path, name: str, number: int, frame: npt.NDArray[np.uint8], truth: Mask) -> None:
    for kind, picture, suffix in (("frames", frame, "jpg"), ("truth", truth, "png")):
        folder = work / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix == "jpg" else []
        cv2.imwrite(str(folder / f"{number:05d}.{suffix}"), picture, quality)


def label(film: Film, work: Path, output: Path, method: str, arguments: argparse.Namespace) -> Took:
    """Let vsodtool label a film."""
    from vsodtool.config import PseudoLabelConfig
    from vsodtool.pipelines.pseudolabel import run_pseudolabel

    start, cpu = time.perf_counter(), time.process_time()
    run_pseudolabel(
        PseudoLabelConfig(
            inputs=(str(work / "frames" / film.name),),
            masks=work / "truth" / film.name,
            output=output,
            method=method,
            quality=arguments.quality,
            every=arguments.every,
        )
    )
    return Took(film.count, time.perf_counter() - start, time.process_time() - cpu)


def score(film: Film, work: Path, output: Path) -> list[Score]:
    """All objects in all frames that were made."""
    scores = []
    with (output / "frames.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["status"] == "generated"]
    objects = read_objects_csv(output / "objects.csv")
    for row in rows:
        made = cv2.imread(str(output / "masks" / film.name / f"{row['frame']}.png"), cv2.IMREAD_UNCHANGED)
        truth = cv2.imread(str(work / "truth" / film.name / f"{row['frame']}.png"), cv2.IMREAD_UNCHANGED)
        for number in film.ids:
            found, true = made == number, truth == number
            parts, numbers = _parts(found)
            touching = len(set(np.unique(numbers[true])) - {0})
            scores.append(
                Score(
                    film.name,
                    number,
                    region_j(found, true),
                    parts,
                    _parts(true)[0],
                    parts - touching,
                    objects.get((film.name, row["frame"]), {}).get(number, float(row["confidence"])),
                    float(row["confidence"]),
                )
            )
    return scores


def _parts(mask: npt.NDArray[np.bool_]) -> tuple[int, npt.NDArray[np.int32]]:
    count, numbers = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return count - 1, numbers


def rows_of(kind: str, method: str, scores: list[Score], took: Took) -> list[str]:
    """A row for each video and one for all."""
    lines = []
    objects = sorted({(each.video, each.id) for each in scores})
    means = {
        key: float(np.mean([each.j for each in scores if (each.video, each.id) == key])) for key in objects
    }
    for video in sorted({video for video, _ in objects}):
        own = [each for each in scores if each.video == video]
        js = " ".join(f"{value:.4f}" for key, value in means.items() if key[0] == video)
        lines.append(f"| {video} | {method} | {js} |{_specks(own)} |  |")
    js_of_all = [each.j for each in scores]
    worth = spearman([each.confidence for each in scores], js_of_all)
    of_frame = spearman([each.frame_confidence for each in scores], js_of_all)
    mean = float(np.mean(list(means.values())))
    each_took = took.cpu / len(scores)
    told = f"{worth:.3f} ({of_frame:.3f}); {each_took:.2f}; {took.frames / took.wall:.2f}"
    lines.append(f"| **{kind}** | {method} | **{mean:.4f}** |{_specks(scores)} | {told} |")
    return lines


def _specks(scores: list[Score]) -> str:
    made, true, islands = (
        float(np.mean([value(each) for each in scores]))
        for value in (lambda one: one.parts, lambda one: one.true_parts, lambda one: one.islands)
    )
    return f" {islands:.2f} | {made:.1f} ({true:.1f})"


def main() -> None:
    """Make, label, score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--pairs", nargs="*", default=list(PAIRS), metavar="BELOW+ABOVE")
    parser.add_argument("--alone", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--crowd", nargs="*", default=[], type=int, metavar="N", help="things of equal size")
    parser.add_argument("--methods", nargs="+", default=["auto"])
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--quality", default="balanced")
    parser.add_argument("--size", help="enlarge to WIDTHxHEIGHT")
    parser.add_argument("--frames", type=int, default=287, help="with --size")
    parser.add_argument("--work", type=Path, help="keep frames, truth and labels here")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    names = sorted({name for pair in arguments.pairs for name in pair.split("+")} | set(arguments.alone))
    by_name = {sequence.name: sequence for sequence in find_sequences(arguments.root, names)}
    with tempfile.TemporaryDirectory() as folder:
        work = arguments.work or Path(folder)
        pasted = [paste(*(by_name[name] for name in pair.split("+")), work) for pair in arguments.pairs]
        single = [alone(by_name[name], work) for name in arguments.alone]
        if arguments.size:
            width, height = (int(side) for side in arguments.size.split("x"))
            pasted, single = (
                [enlarge(film, work, (width, height), arguments.frames) for film in films]
                for films in (pasted, single)
            )
        crowds = [crowd(count, work) for count in arguments.crowd]
        lines = [
            *header(),
            "",
            "| video | method | J of each object | islands | parts (true) | "
            "Spearman of confidence (of the frame's); CPU seconds an object and frame; frames/s |",
            "|---|---|---|---|---|---|",
        ]
        for method in arguments.methods:
            for kind, films in (("pairs", pasted), ("alone", single)):
                scores, took = [], Took()
                for film in films:
                    output = work / "labels" / method / film.name
                    took += label(film, work, output, method, arguments)
                    scores += score(film, work, output)
                if scores:
                    lines += rows_of(kind, method, scores, took)
            for film in crowds:
                output = work / "labels" / method / film.name
                took = label(film, work, output, method, arguments)
                lines += rows_of(film.name, method, score(film, work, output), took)[1:]
    publish(lines, arguments.out)


if __name__ == "__main__":
    main()
