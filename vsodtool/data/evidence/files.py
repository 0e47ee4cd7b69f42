"""Recorded evidence on the disk: arrays of bytes, and an index that says what belongs together."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsodtool.errors import DataError
from vsodtool.media.atomic import atomic_path, write_bytes_atomically

INDEX = "index.json"
ByteMaps = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EvidenceFile:
    """Recorded evidence about one object of one hidden frame.

    Attributes:
        video: name of the video.
        name: of the hidden frame.
        maps: file of uint8 (MAPS, h, w), on a box of the frame; see `ops.evidence_maps`.
        origin: row and column of the box's first pixel in the frame.
        before: file of the labelled frame before it, uint8 (4, H, W): RGB and label (0 or 255).
        hidden: of itself.
        after: of the one after it.
        distances: to both, in frames.
    """

    video: str
    name: str
    maps: Path
    origin: tuple[int, int]
    before: Path
    hidden: Path
    after: Path
    distances: tuple[int, int]


def require_evidence(hidden: int) -> None:
    """Refuse data that hold no hidden frame.

    Raises:
        DataError: there is none.
    """
    if not hidden:
        raise DataError(
            "expected videos with masks on both sides of others, found none",
            "give videos with at least 3 given masks",
        )


def write_array(path: Path, values: ByteMaps) -> None:
    """Store an array, complete or not at all.

    Raises:
        DeviceError: the disk is full or refuses.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, values)


def read_array(path: Path) -> ByteMaps:
    """The opposite; what is not looked at is not read.

    Raises:
        DataError: the file cannot be read any more.
    """
    try:
        values: ByteMaps = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: expected recorded evidence, found a file that cannot be read: {error}",
            f"delete {path.parent}, and start the training again: evidence is then recorded again",
        ) from error
    return values


def write_index(place: Path, files: Sequence[EvidenceFile]) -> None:
    """Say that everything is recorded; paths are stored relative to the index.

    Raises:
        DeviceError: the disk is full or refuses.
    """
    entries = [
        {
            "video": file.video,
            "name": file.name,
            "origin": file.origin,
            "distances": file.distances,
            **{part: os.path.relpath(getattr(file, part), place) for part in _PARTS},
        }
        for file in files
    ]
    write_bytes_atomically(place / INDEX, json.dumps(entries).encode())


def read_index(place: Path) -> list[EvidenceFile] | None:
    """What `write_index` was told; None where nothing is recorded, or not all.

    Raises:
        DataError: the index is no index.
    """
    index = place / INDEX
    if not index.is_file():
        return None
    try:
        return [
            EvidenceFile(
                video=entry["video"],
                name=entry["name"],
                origin=(entry["origin"][0], entry["origin"][1]),
                distances=(entry["distances"][0], entry["distances"][1]),
                **{part: place / entry[part] for part in _PARTS},
            )
            for entry in json.loads(index.read_text())
        ]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(
            f"{index}: expected an index of recorded evidence, found something else: {error!r}",
            f"delete {place}: it is then recorded again",
        ) from error


_PARTS = ("maps", "before", "hidden", "after")
