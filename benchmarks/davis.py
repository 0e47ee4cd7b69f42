"""Sequences of a DAVIS-style root, for the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsodtool.ops.suggesting.spacing import every as spread

SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Sequence:
    """One video with a mask for every frame.

    Attributes:
        name: of its folders.
        frames: picture files in order.
        masks: mask files in the same order.
        inset: which of them are given, see `given`.
    """

    name: str
    frames: list[Path]
    masks: list[Path]
    inset: bool = False

    def given(self, every: int) -> list[int]:
        """Indices of the masks that a densifier gets: 0, every, 2 every, ... and the last.

        Inset they are as many apart, but a third of that from both ends: `vsodtool suggest --every`.
        """
        count = len(self.masks)
        if self.inset:
            return spread(count, every)
        return sorted({*range(0, count, every), count - 1})


def find_sequences(root: Path, only: list[str] | None = None) -> list[Sequence]:
    """The sequences of `root` (JPEGImages and Annotations, each perhaps with 480p below), sorted by name."""
    images, annotations = _level(root / "JPEGImages"), _level(root / "Annotations")
    found = []
    for folder in sorted(path for path in images.iterdir() if path.is_dir()):
        if only and folder.name not in only:
            continue
        frames = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        masks = [annotations / folder.name / f"{frame.stem}.png" for frame in frames]
        lost = [mask for mask in masks if not mask.is_file()]
        if lost:
            raise SystemExit(f"{lost[0]} is missing: a benchmark needs a mask for every frame")
        found.append(Sequence(folder.name, frames, masks))
    missing = set(only or []) - {sequence.name for sequence in found}
    if missing or not found:
        raise SystemExit(f"no such sequences in {images}: {sorted(missing) or 'none at all'}")
    return found


def _level(folder: Path) -> Path:
    if not folder.is_dir():
        raise SystemExit(f"{folder} is missing: expected a DAVIS-style root (JPEGImages, Annotations)")
    return folder / "480p" if (folder / "480p").is_dir() else folder
