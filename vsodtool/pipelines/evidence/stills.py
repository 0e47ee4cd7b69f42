"""Still images set in motion -> evidence: other things than the few that move in the videos."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vsodtool.data.clips.still_clips import make_still_clip
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.evidence.files import EvidenceFile, write_index
from vsodtool.data.sources.labelled import LabelledFrame as LabelFile
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.ops.sampling.sample_order import sample_generator
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, Reading
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.types import Frame, ImageArray, LabelArray

STILLS = "in company"  # what clips are like: changes what is recorded, so its place
SIDE = 320  # pixels of the squares that move
HIDDEN = 2  # frames of each clip that are recorded, where it has so many
_PIECES = 2  # of work at a time
_LONGEST = 20  # gap of those whose clips are made: in longer ones most things fly out of the picture
_COMPANY = 2 / 3  # share of clips with a second thing beside the object: half of them its own likeness
_AWAY = (0.15, 0.5)  # how far a likeness begins from the object, in sides of the square
_SEEN = 0.4  # share of the object that a second thing leaves to be seen, at least


class _Clip(NamedTuple):
    """Frames uint8 (T, 3, S, S), and how much of each pixel is the object, float32 (T, 1, S, S) in [0, 1]."""

    images: Tensor
    labels: Tensor


def record_stills(
    video: LabelledVideo, gaps: Sequence[int], seed: int, maker: GuessMaker, place: Path
) -> None:
    """One clip of each image, as long as one of the gaps; evidence about some frames of it.

    Args:
        video: a set of still images.
        gaps: one is drawn for each image.
        seed: of the motion, and of what is hidden.
        maker: makes the first guesses.
        place: folder that receives it; its index is written last.

    Raises:
        DataError: an image cannot be read any more.
        DeviceError: the disk is full or refuses.
    """
    files: list[EvidenceFile] = []
    with ThreadPoolExecutor(_PIECES, "record") as pool:
        workers = Workers(pool)
        for number, frame in enumerate(video.given):
            rng = sample_generator(seed, (0, number))
            gap = int(rng.choice([gap for gap in gaps if gap <= _LONGEST] or list(gaps)))
            ages = [at - gap / 2 for at in range(gap + 1)]
            clip = _move(video, frame, ages, rng)
            hidden = sorted((rng.permutation(gap - 1)[:HIDDEN] + 1).tolist())
            if rng.random() < _COMPANY:
                other = frame if rng.random() < 0.5 else video.given[rng.integers(len(video.given))]
                clip = _accompanied(clip, _move(video, other, ages, rng), rng)
            labels = {at: _binary(clip.labels[at]) for at in (0, *hidden, gap)}

            def truth(index: int, labels: dict[int, Tensor] = labels) -> LabelArray | None:
                return labels[index][0, 0].to(torch.uint16).numpy() if index in labels else None

            folder = place / str(number)
            recorder = EvidenceRecorder(
                video.name,
                maker,
                truth,
                maps=folder,
                frames=folder / "frames",
                named=f"{frame.name}+{{}}".format,
            )
            recorder.record([_interval(clip, hidden, labels, place)], workers)
            files += recorder.files
    write_index(place, files)


def _move(video: LabelledVideo, frame: LabelFile, ages: Sequence[float], rng: np.random.Generator) -> _Clip:
    made = make_still_clip(
        video, frame, ages=ages, side=SIDE, motion=StillMotion(), augmentation=None, rng=rng
    )
    return _Clip(made.images, made.labels)


def _accompanied(clip: _Clip, other: _Clip, rng: np.random.Generator) -> _Clip:
    """The thing of another clip, mirrored and moved away, before or behind that of the first.

    What it looks like tells nothing where it is a likeness: only motion and place do. A clip whose object
    it would hide stays as it is.
    """
    way, far = rng.uniform(0, 2 * np.pi), SIDE * rng.uniform(*_AWAY)
    away = [round(far * float(part)) for part in (np.sin(way), np.cos(way))]
    images, opacity = (_shifted(part.flip(-1), away) for part in other)
    before = rng.random() < 0.5
    if before:
        labels = clip.labels * (1 - opacity)
    else:
        labels, opacity = clip.labels, opacity * (1 - clip.labels)
    areas = clip.labels.sum((1, 2, 3))
    if bool((labels.sum((1, 2, 3)) < _SEEN * areas).any()):
        return clip
    mixed = clip.images + (images.float() - clip.images) * opacity
    return _Clip((mixed + 0.5).to(torch.uint8), labels)


def _shifted(maps: Tensor, away: Sequence[int]) -> Tensor:
    """(T, C, S, S), moved down and to the right by whole pixels; 0 comes in."""
    rolled = maps.roll(tuple(away), (-2, -1))
    for axis, length in zip((-2, -1), away, strict=True):
        start = 0 if length > 0 else maps.shape[axis] + length
        rolled.narrow(axis, start, abs(length)).zero_()
    return rolled


def _interval(clip: _Clip, hidden: list[int], labels: dict[int, Tensor], spill: Path) -> Interval:
    """The clip between its first and its last frame."""
    left, *between, right = (Frame(at, str(at), _rgb(image)) for at, image in enumerate(clip.images))
    reading = Reading(_labelled(left, labels), FrameStore(None, spill))
    for frame in between:
        reading.add(frame)
    return reading.end(_labelled(right, labels), hidden)


def _labelled(frame: Frame, labels: dict[int, Tensor]) -> LabelledFrame:
    return LabelledFrame(frame.index, frame.name, frame.rgb, labels[frame.index])


def _rgb(image: Tensor) -> ImageArray:
    rgb: ImageArray = image.permute(1, 2, 0).contiguous().numpy()
    return rgb


def _binary(label: Tensor) -> Tensor:
    """(1, S, S) in [0, 1] -> (1, 1, S, S), 0 or 1."""
    return (label > 0.5).to(torch.float32)[None]
