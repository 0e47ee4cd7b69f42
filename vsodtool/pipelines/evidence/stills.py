"""Still images set in motion -> evidence: other things than the few that move in the videos."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

from vsodtool.data.clips.still_clips import StillClip, make_still_clip
from vsodtool.data.clips.still_motion import StillMotion
from vsodtool.data.evidence.files import EvidenceFile, write_index
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.ops.sampling.sample_order import sample_generator
from vsodtool.pipelines.densify.interval import Interval, LabelledFrame, Reading
from vsodtool.pipelines.densify.side_by_side import Workers
from vsodtool.pipelines.evidence.recorder import EvidenceRecorder, GuessMaker
from vsodtool.types import Frame, ImageArray, LabelArray

SIDE = 320  # pixels of the squares that move
HIDDEN = 2  # frames of each clip that are recorded, where it has so many
_PIECES = 2  # of work at a time


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
            gap = int(rng.choice(list(gaps)))
            ages = [at - gap / 2 for at in range(gap + 1)]
            clip = make_still_clip(
                video, frame, ages=ages, side=SIDE, motion=StillMotion(), augmentation=None, rng=rng
            )
            hidden = sorted((rng.permutation(gap - 1)[:HIDDEN] + 1).tolist())
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


def _interval(clip: StillClip, hidden: list[int], labels: dict[int, Tensor], spill: Path) -> Interval:
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
