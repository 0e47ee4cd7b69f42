"""Where every output file lies (contract, section 4), and which output folders are refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vsodtool.config.shard import Shard
from vsodtool.errors import DeviceError, UsageError

NOTES = "review.json"
_FOLDERS = ("masks", "soft", "confidence", "overlay", "flow", "preview", "adapted")
_SHARD_JOURNAL = re.compile(r"journal-[0-9]+-of-[0-9]+\.jsonl")
_SHARD_LOCK = re.compile(r"\.vsodtool-([0-9]+)-of-([0-9]+)\.lock")


@dataclass(frozen=True)
class OutputLayout:
    """The paths of one output folder. Nothing is created here.

    Attributes:
        root: the folder given with -o.
    """

    root: Path

    @property
    def frames_csv(self) -> Path:
        """The table of frames."""
        return self.root / "frames.csv"

    @property
    def objects_csv(self) -> Path:
        """The table of objects, where a video has several."""
        return self.root / "objects.csv"

    @property
    def manifest(self) -> Path:
        """What was run, with what, on what."""
        return self.root / "manifest.json"

    @property
    def journal(self) -> Path:
        """The finished frames of an unfinished run; gone once the run is complete."""
        return self.root / "journal.jsonl"

    @property
    def written(self) -> Path:
        """What a complete run wrote: frames, files with size and hash, in the lines of a journal."""
        return self.root / "written.jsonl"

    @property
    def objects(self) -> Path:
        """Names, classes and colours of the objects, where the masks came from an annotation file."""
        return self.root / "objects.json"

    @property
    def suggestions(self) -> Path:
        """What `suggest` measured on hidden labels, to be used again."""
        return self.root / "suggest.json"

    @property
    def corrections(self) -> Path:
        """Masks that people edited, taken over from the masks; never deleted."""
        return self.root / "corrections"

    @property
    def notes(self) -> Path:
        """What people said of frames on the review page, and the objects that they added."""
        return self.corrections / NOTES

    def correction(self, video: str, stem: str) -> Path:
        """The edited mask of one frame."""
        return self.corrections / _component(video) / f"{_component(stem)}.png"

    @property
    def lock(self) -> Path:
        """Held while a run writes here."""
        return self.root / ".vsodtool.lock"

    @property
    def gate(self) -> Path:
        """Held for a moment by a shard that begins or ends."""
        return self.root / ".vsodtool-gate.lock"

    def shard_journal(self, shard: Shard) -> Path:
        """The finished frames of one shard of an unfinished run."""
        return self.root / f"journal-{shard.index}-of-{shard.count}.jsonl"

    def shard_lock(self, shard: Shard) -> Path:
        """Held while that shard writes here."""
        return self.root / f".vsodtool-{shard.index}-of-{shard.count}.lock"

    def journals(self) -> list[Path]:
        """The journals that exist, that of an unsharded run first."""
        parts = (path for path in self.root.glob("journal-*.jsonl") if _SHARD_JOURNAL.fullmatch(path.name))
        return [path for path in (self.journal, *sorted(parts)) if os.path.lexists(path)]

    def shard_locks(self) -> dict[Shard, Path]:
        """The locks of shards that exist, held or left by a killed process."""
        found = ((_SHARD_LOCK.fullmatch(path.name), path) for path in self.root.glob(".vsodtool-*.lock"))
        return {Shard(int(match[1]), int(match[2])): path for match, path in found if match}

    @property
    def folders(self) -> list[Path]:
        """The sub-folders that belong to the tool, existing or not."""
        return [self.root / name for name in _FOLDERS]

    def masks(self, video: str, stem: str) -> Path:
        """The dense label of one frame."""
        return self.root / "masks" / _component(video) / f"{_component(stem)}.png"

    def soft(self, video: str, stem: str) -> Path:
        """The 8-bit probability of one frame."""
        return self.root / "soft" / _component(video) / f"{_component(stem)}.png"

    def confidence(self, video: str, stem: str) -> Path:
        """The 8-bit per-pixel confidence of one frame."""
        return self.root / "confidence" / _component(video) / f"{_component(stem)}.png"

    def overlay(self, video: str) -> Path:
        """The mask over the video."""
        return self.root / "overlay" / f"{_component(video)}.mp4"

    def adapted(self, video: str) -> Path:
        """The weights that were fine-tuned on one video, where its masks are made with them."""
        return self.root / "adapted" / f"{_component(video)}.safetensors"

    def flow(self, video: str, stem: str, direction: str, suffix: str) -> Path:
        """The flow that starts at one frame; `direction` forward or backward, `suffix` flo, png or npz."""
        return self.root / "flow" / _component(video) / _component(direction) / f"{_component(stem)}.{suffix}"

    def preview(self, video: str, stem: str, direction: str) -> Path:
        """The colour-wheel picture of the flow that starts at one frame."""
        return self.root / "preview" / _component(video) / _component(direction) / f"{_component(stem)}.png"

    def occupied(self) -> list[Path]:
        """The tool's own names that exist here (an empty sub-folder does not count)."""
        tables = (self.frames_csv, self.objects_csv, self.objects, self.suggestions)
        files = [path for path in (self.manifest, *tables, self.written) if os.path.lexists(path)]
        return [*files, *self.journals()] + [
            folder for folder in self.folders if os.path.lexists(folder) and not _is_empty(folder)
        ]


def check_output(root: Path, inputs: Iterable[Path], masks: Iterable[Path] = ()) -> OutputLayout:
    """Refuse an output folder that cannot be written or that could damage the inputs. Nothing is created.

    Args:
        root: the output folder, existing or not.
        inputs: the inputs as given and the videos found in them (files or folders).
        masks: the masks as given, none for commands without.

    Raises:
        UsageError: `root` is a file, lies inside an input or the masks, or holds one of them in a folder
            that the tool writes into (links are resolved).
        DeviceError: `root`, or the folder it would be made in, is not writable.
    """
    layout = OutputLayout(root)
    if os.path.lexists(root) and not root.is_dir():
        raise UsageError(f"output {root} is not a folder", "choose another name with -o")
    given = [*((path, "input") for path in inputs), *((path, "masks") for path in masks)]
    for path, what in given:
        real = path.resolve()
        for folder in [root, *layout.folders]:
            if is_inside(folder.resolve(), real):
                raise UsageError(
                    f"output {folder} lies inside the {what} {path}", "choose a folder outside with -o"
                )
        for folder in layout.folders:
            if is_inside(real, folder.resolve()):
                raise UsageError(
                    f"{what} {path} lies inside {folder}, which the tool writes to",
                    "choose another folder with -o",
                )
    _refuse_unwritable(root)
    return layout


def check_export(root: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder to write to that cannot be written, or that lies inside an input. Nothing is created.

    Args:
        root: the folder, existing or not.
        inputs: what must not be written to.

    Raises:
        UsageError: `root` is a file, or lies inside an input (links are resolved).
        DeviceError: `root`, or the folder it would be made in, is not writable.
    """
    if os.path.lexists(root) and not root.is_dir():
        raise UsageError(f"{root} is not a folder", "choose another name with --export")
    for path in inputs:
        if is_inside(root.resolve(), path.resolve()):
            raise UsageError(f"{root} lies inside {path}", "choose a folder outside with --export")
    _refuse_unwritable(root)


def _refuse_unwritable(root: Path) -> None:
    existing = root
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        raise DeviceError(
            f"not writable: {existing}", "choose another output folder or change its permissions"
        )


def _component(name: str) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name or os.sep in name:
        raise UsageError(f"{name!r} cannot be the name of a file or folder", "rename the video or frame")
    return name


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or lies in it; also where file systems ignore case or are mounted twice."""
    for candidate in (path, *path.parents):
        if candidate == folder:
            return True
        if candidate.exists() and folder.exists() and candidate.samefile(folder):
            return True
    return False
