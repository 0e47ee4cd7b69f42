"""Which cuts are found, which are missed, which are none? And what does it cost?

    python benchmarks/cuts.py ROOT [ROOT or VIDEO ...] [--joins 200] [--seed 0] [--out FILE.md]

Every video of all arguments must have no cut. From the videos of the first one: two of them joined hard at
chance frames (found is the exact frame and nothing else), dissolved over 10 frames, and faded through black
(found is one cut within the change and nothing else). The frames before and after a join are those of the
videos, up to 40 of each. PySceneDetect, where it is installed, sees the same videos and joins.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from machine import header, publish

from vsodtool.media.video.frames import FrameSource, open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.ops.shots.cuts import CutSearch, thumbnail
from vsodtool.pipelines.running.shots import find_shots, thumbnail_differ
from vsodtool.types import ImageArray

CONTEXT = 40  # frames of each video around a join, at most
FEWEST = 15
DISSOLVE = 10
FADES = ((5, 1, 5), (10, 1, 10), (10, 5, 10))  # frames out, black, in
WIDTH = 320  # of the frames that are joined
Find = Callable[[Sequence[ImageArray]], list[int]]


@dataclass(frozen=True)
class Sample:
    """A made video, and where its cut may be found."""

    frames: list[ImageArray]
    cut: range


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("roots", nargs="+")
    parser.add_argument("--joins", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    names = ", ".join(Path(root).name for root in options.roots)
    lines = [f"## cuts.py, {names}, seed {options.seed}", "", *header(), ""]
    lines += [
        "| videos | frames | false cuts | ms a frame, decoding included | CPU ms |",
        "|---|---|---|---|---|",
    ]
    for root in options.roots:
        lines.append(whole_videos(root))
    clips = [clip for source in sources(options.roots[0]) if len(clip := small(source)) >= 2 * FEWEST]
    rng = np.random.default_rng(options.seed)
    kinds = {
        "joined": [joined(clips, rng) for _ in range(options.joins)],
        f"dissolved, {DISSOLVE} frames": [dissolved(clips, rng) for _ in range(options.joins)],
        **{
            f"faded, {out} + {black} + {back} frames": [
                faded(clips, rng, out, black, back) for _ in range(options.joins // 2)
            ]
            for out, black, back in FADES
        },
    }
    finders: dict[str, Find] = {"vsodtool": find, **scenedetect()}
    lines += ["", f"| made of {Path(options.roots[0]).name} | | {' | '.join(finders)} |"]
    lines += ["|---|---" + "|---" * len(finders) + "|"]
    for kind, samples in kinds.items():
        told = [describe([judge(sample, finder) for sample in samples]) for finder in finders.values()]
        lines.append(f"| {kind} | {len(samples)} | {' | '.join(told)} |")
    publish(lines, options.out)


def sources(root: str) -> list[FrameSource]:
    """The videos of an argument."""
    return [open_frames(video) for video in discover_videos([root])]


def whole_videos(root: str) -> str:
    """A row about videos without cuts."""
    frames, false = 0, []
    wall, cpu = time.perf_counter(), time.process_time()
    for source in sources(root):
        frames += len(source.names)
        false += [f"{source.video.name} {source.names[cut]}" for cut in find_shots(source).cuts]
    wall, cpu = (1000 * spent / frames for spent in (time.perf_counter() - wall, time.process_time() - cpu))
    found = f"{len(false)}: {', '.join(false)}" if false else "0"
    return f"| {Path(root).name} | {frames} | {found} | {wall:.1f} | {cpu:.1f} |"


def small(source: FrameSource) -> list[ImageArray]:
    """The frames of a video, reduced."""
    height, width = source.size
    size = (WIDTH, round(WIDTH * height / width))
    return [cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA) for frame in source]  # type: ignore[misc]


def find(frames: Sequence[ImageArray]) -> list[int]:
    """The cuts that this project finds."""
    search = CutSearch(thumbnail_differ())
    for frame in frames:
        search.add(thumbnail(frame))
    return search.end()


def scenedetect() -> dict[str, Find]:
    """PySceneDetect's detectors with their defaults, but for the shortest scene."""
    try:
        from scenedetect import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector, ContentDetector
    except ImportError:
        return {}

    def finder(create: Callable[..., object]) -> Find:
        def found(frames: Sequence[ImageArray]) -> list[int]:
            detector: object = create(min_scene_len=1)
            cuts = []
            for index, frame in enumerate(frames):
                bgr = np.ascontiguousarray(frame[..., ::-1])
                cuts += detector.process_frame(FrameTimecode(index, 24.0), bgr)  # type: ignore[attr-defined]
            cuts += detector.post_process(FrameTimecode(len(frames), 24.0))  # type: ignore[attr-defined]
            return [cut.frame_num for cut in cuts]

        return found

    return {
        "PySceneDetect adaptive": finder(AdaptiveDetector),
        "PySceneDetect content": finder(ContentDetector),
    }


def judge(sample: Sample, finder: Find) -> tuple[bool, int]:
    """Whether the cut is found, and how many others are."""
    found = finder(sample.frames)
    right = [cut for cut in found if cut in sample.cut]
    return bool(right), len(found) - bool(right)


def describe(judged: Sequence[tuple[bool, int]]) -> str:
    """In words."""
    return f"{sum(found for found, _ in judged)} found, {sum(others for _, others in judged)} others"


def joined(clips: Sequence[list[ImageArray]], rng: np.random.Generator) -> Sample:
    """One video, and another from a chance frame on."""
    first, second = ends(clips, rng, 0)
    return Sample([*first, *second], range(len(first), len(first) + 1))


def dissolved(clips: Sequence[list[ImageArray]], rng: np.random.Generator) -> Sample:
    """Both go on while one becomes the other."""
    first, second = ends(clips, rng, DISSOLVE)
    start = len(first) - DISSOLVE
    between = [mixed(first[start + at], second[at], (at + 1) / (DISSOLVE + 1)) for at in range(DISSOLVE)]
    return Sample([*first[:start], *between, *second[DISSOLVE:]], range(start, start + DISSOLVE + 1))


def faded(
    clips: Sequence[list[ImageArray]], rng: np.random.Generator, out: int, black: int, back: int
) -> Sample:
    """One goes dark, the other comes up."""
    first, second = ends(clips, rng, max(out, back))
    start, none = len(first) - out, np.zeros_like(first[0])
    between = [mixed(first[start + at], none, (at + 1) / (out + 1)) for at in range(out)]
    between += [none] * black
    between += [mixed(none, second[at], (at + 1) / (back + 1)) for at in range(back)]
    return Sample([*first[:start], *between, *second[back:]], range(start, start + len(between) + 1))


def ends(
    clips: Sequence[list[ImageArray]], rng: np.random.Generator, more: int
) -> tuple[list[ImageArray], list[ImageArray]]:
    """The end of one video and the beginning of another, at chance frames; `more` frames above the least."""
    alike = [clip for clip in clips if clip[0].shape == clips[0][0].shape and len(clip) > FEWEST + more]
    one, other = (alike[number] for number in rng.choice(len(alike), 2, replace=False))
    stop = int(rng.integers(FEWEST + more, len(one)))
    start = int(rng.integers(0, len(other) - FEWEST - more))
    return one[max(stop - CONTEXT, 0) : stop], other[start : start + CONTEXT]


def mixed(first: ImageArray, second: ImageArray, share: float) -> ImageArray:
    """So much of the second in the first."""
    mix = (1 - share) * first.astype(np.float32) + share * second.astype(np.float32)
    return np.clip(mix.round(), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
