"""Roots that hold some of another one's videos, or a part of each video, by symbolic links."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from davis import Sequence


def link_part(root: Path, sequences: Iterable[Sequence], part: Callable[[int], range] = range) -> Path:
    """Make `root` a DAVIS-style root of links to frames and masks, and return it.

    Args:
        root: its folders are made; links that are right already stay.
        sequences: of another root.
        part: number of frames -> those that are wanted; all by default.

    Raises:
        SystemExit: `root` holds other frames.
    """
    for sequence in sequences:
        chosen = part(len(sequence.frames))
        for kind, files in (("JPEGImages", sequence.frames), ("Annotations", sequence.masks)):
            folder = root / kind / sequence.name
            folder.mkdir(parents=True, exist_ok=True)
            wanted = {files[index].name: files[index].resolve() for index in chosen}
            for link in folder.iterdir():
                if wanted.get(link.name) != link.resolve():
                    raise SystemExit(f"{link} belongs to another split: use another folder")
            for name, target in wanted.items():
                if not (folder / name).is_symlink():
                    (folder / name).symlink_to(target)
    return root
