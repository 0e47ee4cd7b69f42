"""Recorded evidence on the disk: arrays of bytes, and an index that says what belongs together."""

from __future__ import annotations

import json
import os
import struct
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vsodtool.checks import check_regular
from vsodtool.errors import DataError
from vsodtool.media.atomic import atomic_path, write_bytes_atomically
from vsodtool.media.regular_file import read_regular

INDEX = "index.json"
ByteMaps = npt.NDArray[np.uint8]
_LARGEST = 1 << 24  # pixels along a side, frames between two labels
# What numpy.load raises on a file that is cut or damaged.
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    SyntaxError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
    struct.error,
)


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


def read_array(path: Path, planes: int) -> ByteMaps:
    """The opposite; what is not looked at is not read.

    Args:
        path: of the file.
        planes: how many it must have.

    Raises:
        DataError: the file is no such array, or cannot be read any more.
    """
    try:
        check_regular(path)
        values: ByteMaps = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(values, np.ndarray) or values.dtype != np.uint8 or values.ndim != 3:
            raise ValueError("no bytes of a picture")
        if len(values) != planes or not values.size:
            raise ValueError(f"expected {planes} planes, found an array of {values.shape}")
    except _UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError(
            f"{path}: expected recorded evidence, found a file that cannot be read: {reason}",
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
        entries = json.loads(read_regular(index))
        return [_entry(place, entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DataError(
            f"{index}: expected an index of recorded evidence, found something else: {str(error)[:200]}",
            f"delete {place}: it is then recorded again",
        ) from error


def _entry(place: Path, entry: dict[str, Any]) -> EvidenceFile:
    """One entry of an index, its values looked at.

    Raises:
        ValueError, KeyError, TypeError: a value is missing or none that was written.
    """
    top, left = entry["origin"]
    before, after = entry["distances"]
    numbers = (top, left, before, after)
    texts = [entry[name] for name in ("video", "name", *_PARTS)]
    if any(type(number) is not int or not 0 <= number < _LARGEST for number in numbers):
        raise ValueError(f"numbers that are none of a frame: {numbers}")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("names that are no text")
    for part in _PARTS:
        # Frames lie beside the maps, or beside their folder; never elsewhere.
        if not Path(os.path.normpath(place / entry[part])).is_relative_to(place.parent):
            raise ValueError(f"{part}: a file outside of {place.parent}")
    return EvidenceFile(
        video=entry["video"],
        name=entry["name"],
        origin=(top, left),
        distances=(before, after),
        **{part: place / entry[part] for part in _PARTS},
    )


_PARTS = ("maps", "before", "hidden", "after")
