"""Recorded evidence of a training run: made once, and found again when the run continues."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from vsodtool.data.evidence.files import EvidenceFile, read_index
from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.media.fingerprint import content_fingerprint
from vsodtool.pipelines.densify.quality import motion_estimators, rules
from vsodtool.pipelines.evidence.recorder import GuessMaker
from vsodtool.pipelines.evidence.stills import HIDDEN, STILLS, record_stills
from vsodtool.pipelines.evidence.videos import record_video, seen_labels
from vsodtool.types import Event, OnEvent

QUALITY = "balanced"  # of flow and rules: the default of `pseudolabel`
_FEWEST = 3  # one hidden label between two


@dataclass(frozen=True)
class _Recording:
    """One folder of evidence.

    Attributes:
        place: that folder, named after the content of what it was made of.
        hidden: number of frames that it tells about, at most.
        what: in words.
        make: records it there.
    """

    place: Path
    hidden: int
    what: str
    make: Callable[[GuessMaker, Path], None]


def store_evidence(
    videos: Sequence[LabelledVideo],
    gaps: tuple[int, ...],
    folder: Path,
    on_event: OnEvent,
    *,
    still_seed: int | None = None,
) -> list[EvidenceFile]:
    """Evidence about the labelled frames of videos, recorded where it is not there yet.

    Args:
        videos: labelled ones; videos with too few labels are left out.
        gaps: of the given labels each so many-th is seen, and the others are hidden; one recording for each.
        folder: where it is kept: about 1.5 MB for each hidden frame of 640x360, 1 MB for each frame.
        on_event: hears of progress.
        still_seed: of the motion of still images; None leaves them out.

    Raises:
        DataError: a file cannot be read any more, or the folder holds something else.
        DeviceError: the disk is full or refuses.
    """
    files: list[EvidenceFile] = []
    maker = GuessMaker(motion_estimators("dis", QUALITY, torch.device("cpu"), on_event), rules(QUALITY))
    for recording in _recordings(videos, gaps, folder, still_seed):
        found = read_index(recording.place)
        if found is None:
            on_event(Event("notice", message=f"recording {recording.what}"))
            recording.make(maker, recording.place)
            found = read_index(recording.place)
        files += found or []
    return files


def count_evidence(
    videos: Sequence[LabelledVideo], gaps: tuple[int, ...], *, still_seed: int | None = None
) -> int:
    """How many hidden frames `store_evidence` would tell about, at most; nothing is recorded."""
    return sum(recording.hidden for recording in _recordings(videos, gaps, Path(), still_seed))


def _recordings(
    videos: Sequence[LabelledVideo], gaps: tuple[int, ...], folder: Path, still_seed: int | None
) -> Iterator[_Recording]:
    for video in videos:
        if video.stills and still_seed is not None:
            yield _Recording(
                folder / _digest(video, f"{gaps} {still_seed} {STILLS}"),
                len(video.given) * HIDDEN,
                f"{video.name}: {len(video.given)} images set in motion",
                partial(record_stills, video, gaps, still_seed),
            )
        elif not video.stills and len(video.given) >= _FEWEST:
            own = folder / _digest(video, "")
            for gap in gaps:
                hidden = len(video.given) - len(seen_labels(video, gap))
                what = f"{video.name}, every {gap}th mask seen"
                yield _Recording(own / str(gap), hidden, what, partial(record_video, video, gap))


def _digest(video: LabelledVideo, more: str) -> str:
    """Changes when a picture, a mask, or which of them are used changes."""
    content = content_fingerprint(path for frame in video.given for path in (frame.image, frame.mask))
    return hashlib.sha256(f"{video.name}\n{content}\n{more}".encode()).hexdigest()[:16]
