"""Recorded evidence on the disk: made once for a training run, found again when it continues."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from vsodtool.data.evidence_dataset import EvidenceFile
from vsodtool.data.labelled import LabelledVideo
from vsodtool.errors import DataError
from vsodtool.media.atomic import disk_errors, write_bytes_atomically
from vsodtool.media.crops import read_label
from vsodtool.media.images import read_rgb
from vsodtool.pipelines.interval import Workers
from vsodtool.pipelines.quality import create_generator, motion_plan
from vsodtool.pipelines.record_evidence import Recorded, record_evidence
from vsodtool.pipelines.still_evidence import Way, find_stills, record_stills
from vsodtool.types import Event, OnEvent

QUALITY = "balanced"  # of flow and rules: the default of `pseudolabel`
_INDEX = "index.json"
_FEWEST = 3  # one hidden label between two


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
    for video in videos:
        identity = f"{video.name}\n{video.place.resolve()}"
        if video.stills:
            if still_seed is not None:
                place = folder / _hash(
                    f"{identity}\n{[frame.name for frame in video.given]} {gaps} {still_seed}"
                )
                files += _stills(video, gaps, still_seed, place, on_event)
            continue
        if len(video.given) < _FEWEST:
            continue
        place = folder / _hash(identity)
        for gap in gaps:
            index = place / f"{gap}" / _INDEX
            if not index.is_file():
                on_event(Event("notice", message=f"recording {video.name}, every {gap}th mask seen"))
                with disk_errors(place):
                    _record(video, gap, place)
            files += _find(video, place, index)
    return files


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _stills(
    video: LabelledVideo, gaps: tuple[int, ...], seed: int, place: Path, on_event: OnEvent
) -> list[EvidenceFile]:
    found = find_stills(video, place)
    if found is None:
        on_event(Event("notice", message=f"recording {video.name}: {len(video.given)} images set in motion"))
        with disk_errors(place):
            record_stills(video, gaps, seed, _way(), place)
        found = find_stills(video, place)
    return found or []


def _way() -> Way:
    plan = motion_plan("dis", QUALITY, torch.device("cpu"), lambda _: None)
    return plan, create_generator(QUALITY)


def _record(video: LabelledVideo, gap: int, place: Path) -> None:
    """The index is written last: where it is, everything is."""
    frames, maps = place / "frames", place / f"{gap}"
    frames.mkdir(parents=True, exist_ok=True)
    maps.mkdir(exist_ok=True)
    for frame in video.given:
        path = frames / f"{frame.position}.npy"
        if not path.is_file():
            label = read_label(frame.mask, video.encoding).astype(np.uint8) * 255
            pixels = np.concatenate([read_rgb(frame.image).transpose(2, 0, 1), label[None]])
            np.save(path, pixels)
    entries = []
    with ThreadPoolExecutor(2, "record") as pool:
        for part in record_evidence(video, gap, *_way(), Workers(pool)):
            np.save(maps / f"{part.hidden}.npy", part.maps)
            entries.append(_entry(part))
    write_bytes_atomically(maps / _INDEX, json.dumps(entries).encode())


def _entry(part: Recorded) -> dict[str, int]:
    places = {"top": part.top, "left": part.left}
    return {**places, "before": part.before, "hidden": part.hidden, "after": part.after}


def _find(video: LabelledVideo, place: Path, index: Path) -> list[EvidenceFile]:
    names = {frame.position: frame.name for frame in video.given}
    frames = place / "frames"
    try:
        return [
            EvidenceFile(
                video=video.name,
                # A frame is hidden once for each gap.
                name=f"{names[entry['hidden']]} (every {index.parent.name}th)",
                maps=index.parent / f"{entry['hidden']}.npy",
                origin=(entry["top"], entry["left"]),
                before=frames / f"{entry['before']}.npy",
                hidden=frames / f"{entry['hidden']}.npy",
                after=frames / f"{entry['after']}.npy",
                distances=(entry["hidden"] - entry["before"], entry["after"] - entry["hidden"]),
            )
            for entry in json.loads(index.read_text())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{index}: expected an index of recorded evidence, found something else: {error!r}",
            f"delete {index.parent}: it is then recorded again",
        ) from error
