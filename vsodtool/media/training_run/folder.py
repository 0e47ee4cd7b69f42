"""The folder of a training run: what lies where, its options, and the checkpoint that it continues from."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsodtool.errors import UsageError, WeightsError
from vsodtool.media.atomic import disk_errors, remove_leftovers, write_bytes_atomically
from vsodtool.media.folders import refuse_linked
from vsodtool.media.regular_file import open_regular
from vsodtool.media.weights.pickled import UNREADABLE, first_line, load_tensors

_DATED = ("sheets/epoch-[0-9]*.png", "tensorboard/events.out.tfevents.*")


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run. Nothing is created here.

    Attributes:
        root: the folder given with -o.
    """

    root: Path

    @property
    def config(self) -> Path:
        """The options as used."""
        return self.root / "config.yaml"

    @property
    def manifest(self) -> Path:
        """Versions, inputs and their fingerprints, duration, status."""
        return self.root / "manifest.json"

    @property
    def log(self) -> Path:
        """One JSON object per line: each step, each validation."""
        return self.root / "log.jsonl"

    @property
    def report(self) -> Path:
        """The outcome as JSON, with the curve of the validations."""
        return self.root / "report.json"

    @property
    def last(self) -> Path:
        """The whole state of the training, from which it continues."""
        return self.root / "last.pt"

    @property
    def best(self) -> Path:
        """The weights with the best validation score."""
        return self.root / "best.safetensors"

    @property
    def final(self) -> Path:
        """The weights at the end."""
        return self.root / "final.safetensors"

    @property
    def lock(self) -> Path:
        """Held while a run writes here."""
        return self.root / ".vsodtool.lock"

    @property
    def frames(self) -> Path:
        """Frames of video files among the data, decoded once."""
        return self.root / "frames"

    @property
    def evidence(self) -> Path:
        """What a learned densifier is trained on, recorded once; kept when a run is started anew."""
        return self.root / "evidence"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's files."""
        return self.root / "tensorboard"

    @property
    def sheets(self) -> Path:
        """Pictures of the validations."""
        return self.root / "sheets"

    def sheet(self, epoch: int) -> Path:
        """The validation sheet of an epoch, counted from 1."""
        return self.sheets / f"epoch-{epoch:04d}.png"

    def check_usable(self) -> None:
        """Require a folder that is new, empty, or of a run.

        Raises:
            UsageError: it holds something else, or is a file.
            DataError: a folder in it is a link: what is written or deleted there would be somebody else's.
        """
        hint = "choose another folder with -o"
        if self.root.exists() and not self.root.is_dir():
            raise UsageError(f"output: expected a folder, found the file {self.root}", hint)
        for folder in (self.sheets, self.tensorboard, self.frames, self.evidence):
            below = folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ()
            for each in (folder, *below):
                refuse_linked(each)
        if self.config.is_file() or not self.root.is_dir():
            return
        foreign = sorted(path.name for path in self.root.iterdir() if not path.name.startswith("."))
        if set(foreign) - {self.frames.name, self.evidence.name}:
            raise UsageError(f"{self.root} is not empty and no training run: it holds {foreign[0]}", hint)

    def made(self) -> list[Path]:
        """The files that an earlier run left, which `clear` deletes."""
        # The options go last: while they are there, this is recognised as the folder of a run.
        files = [self.last, self.best, self.final, self.log, self.report, self.manifest]
        files += [path for pattern in _DATED for path in self.root.glob(pattern)]
        return [path for path in (*files, self.config) if path.is_file() or path.is_symlink()]

    def clear(self) -> None:
        """Delete what an earlier run left; files of others stay.

        Raises:
            DeviceError: a file cannot be deleted.
        """
        for path in self.made():
            with disk_errors(path):
                path.unlink(missing_ok=True)
        remove_leftovers(self.root, recursive=False)


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Store tensors and plain values, atomically: after a failure the earlier file is as it was.

    Raises:
        DeviceError: the disk is full or refuses.
    """
    import torch

    # Into memory first: torch's own writer turns a full disk into an error without a reason.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes_atomically(path, buffer.getbuffer())  # type: ignore[arg-type]  # any bytes-like object is written


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The opposite of `write_checkpoint`, on the CPU; nothing in the file is executed.

    Raises:
        WeightsError: the file is missing, damaged, or no checkpoint of a run.
    """
    hint = "start the run again with --overwrite, or put an intact copy there"
    try:
        with open_regular(path) as file:
            if file.read(2) != b"PK":
                raise ValueError("not a file of torch.save, or not all of it")
            file.seek(0)
            content = load_tensors(file)
    except (pickle.UnpicklingError, *UNREADABLE) as error:
        raise WeightsError(f"cannot read the checkpoint {path}: {first_line(error)}", hint) from error
    if not isinstance(content, dict) or "network" not in content or "step" not in content:
        raise WeightsError(f"{path}: expected the checkpoint of a run, found something else", hint)
    return content


def as_yaml(options: Mapping[str, Any]) -> str:
    """Options as a file that `--config` reads again: one `option: value` line each, in their order."""
    import yaml

    return yaml.safe_dump(dict(options), sort_keys=False, allow_unicode=True, default_flow_style=None)
