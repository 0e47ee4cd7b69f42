"""Finding predictions and truths: a folder of maps or of videos, a DAVIS-style root, an OUT folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsodtool.errors import DataError
from vsodtool.media.folders import (
    MASK_SUFFIXES,
    descend_davis,
    folder_name,
    holds_images,
    image_folders,
    list_images,
)
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.manifest import COMPLETE, read_manifest
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.types import FrameStatus


@dataclass(frozen=True)
class MapTree:
    """The maps found below one folder. No file was opened.

    Attributes:
        root: the folder as given.
        folder: where the maps, or the folders of the videos, lie.
        videos: name of the video -> its files in natural order of their stems.
        flat: the maps lie directly in `folder`, so that the name of their only video means nothing.
        given: video -> frames that frames.csv of an OUT folder calls given.
        drawn: the maps were drawn from the annotation file `folder`, and lie elsewhere.
        soft: they are known to be probabilities, however dark they are.
        loose: others lie directly in `folder`, which `readings.settle` may take instead.
        notices: worth a line: which folder of an OUT was taken, that its run is not complete, maps left out.
    """

    root: Path
    folder: Path
    videos: Mapping[str, tuple[Path, ...]]
    flat: bool = False
    given: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    drawn: bool = False
    soft: bool = False
    loose: bool = False

    def place(self, video: str) -> Path:
        """Where the maps of a video come from, for messages."""
        return self.folder if self.drawn else self.videos[video][0].parent


def find_maps(root: Path, prefers: str = "masks") -> MapTree:
    """Find the maps below a folder; names only.

    Args:
        root: a folder of maps (one video), a folder with one sub-folder per video, a DAVIS-style root or its
            `Annotations`, or the OUT folder of `predict` or `pseudolabel`.
        prefers: "soft" or "masks", what is read of an OUT folder that has both.

    Raises:
        DataError: it is no folder, holds no maps, or two maps have one stem.
    """
    if not root.is_dir():
        found = "a file" if root.exists() else "nothing"
        raise DataError(f"{root}: expected a folder of maps, found {found} there", "check the path")
    output = OutputLayout(root)
    if output.manifest.is_file() or output.frames_csv.is_file():
        inside = _maps_of_output(output, prefers)
        if inside is not None:
            return inside
    base = descend_davis(root, "Annotations", MASK_SUFFIXES)
    folders = image_folders(base, MASK_SUFFIXES)
    if folders:
        loose = holds_images(base, MASK_SUFFIXES)
        return MapTree(
            root,
            base,
            {name: tuple(list_images(path, MASK_SUFFIXES)) for name, path in folders.items()},
            notices=(f"{base}: maps directly in it are left out, those of its folders are read",) * loose,
            loose=loose,
        )
    files = list_images(base, MASK_SUFFIXES)
    if not files:
        suffixes = ", ".join(sorted(suffix[1:] for suffix in MASK_SUFFIXES))
        raise DataError(
            f"{root}: expected maps ({suffixes}) or one folder of them per video, found none",
            "check the path",
        )
    return MapTree(root, base, {folder_name(base) or "maps": tuple(files)}, flat=True)


def _maps_of_output(output: OutputLayout, prefers: str) -> MapTree | None:
    order = ("soft", "masks") if prefers == "soft" else ("masks", "soft")
    for kind in order:
        folder = output.root / kind
        folders = image_folders(folder) if folder.is_dir() else {}
        if not folders:
            continue
        notices = [f"{output.root}: reading {kind}/"]
        if kind != prefers:
            notices[0] += f" (there is no {prefers}/)"
        manifest = read_manifest(output.manifest)
        if manifest is not None and manifest.status != COMPLETE:
            notices.append(f"{output.root}: the run that writes there is not complete")
        return MapTree(
            output.root,
            folder,
            {name: tuple(list_images(path)) for name, path in folders.items()},
            given=_given(output),
            notices=tuple(notices),
            soft=kind == "soft",
        )
    return None


def _given(output: OutputLayout) -> dict[str, frozenset[str]]:
    if not output.frames_csv.is_file():
        return {}
    given: dict[str, set[str]] = {}
    for record in read_frames_csv(output.frames_csv):
        if record.status is FrameStatus.GIVEN:
            given.setdefault(record.video, set()).add(record.frame)
    return {video: frozenset(frames) for video, frames in given.items()}
