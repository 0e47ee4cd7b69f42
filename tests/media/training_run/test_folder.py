from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch

from vsodtool.errors import DataError, UsageError, WeightsError
from vsodtool.media.training_run.folder import RunFolder, read_checkpoint, write_checkpoint


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    weight = torch.rand(3, 2, 5, 5).to(memory_format=torch.channels_last)
    state = {"network": {"w": weight}, "step": 7, "best_score": float("nan"), "scores": {"j": 0.5}}
    write_checkpoint(tmp_path / "last.pt", state)
    content = read_checkpoint(tmp_path / "last.pt")
    assert torch.equal(content["network"]["w"], weight)
    assert content["network"]["w"].stride() == weight.stride()
    assert (content["step"], content["scores"]) == (7, {"j": 0.5})


class Exploit:
    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self._marker}'",)


def test_a_checkpoint_that_would_run_code_does_not(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    torch.save({"network": Exploit(marker), "step": 1}, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="cannot read the checkpoint"):
        read_checkpoint(tmp_path / "last.pt")
    assert not marker.exists()


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"step": 1}), None])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "last.pt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError, match="cannot read the checkpoint") as caught:
        read_checkpoint(path)
    assert caught.value.exit_code == 4


def test_other_tensors_are_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(1)}, tmp_path / "last.pt")
    with pytest.raises(WeightsError, match="expected the checkpoint of a run"):
        read_checkpoint(tmp_path / "last.pt")


def test_clearing_leaves_foreign_files(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "sheets").mkdir()
    for path in (folder.config, folder.last, folder.best, folder.log, folder.sheet(3)):
        path.touch()
    (tmp_path / "notes.txt").touch()
    for foreign in ("sheets/notes.txt", "sheets/mine.png", "tensorboard/notes.txt"):
        (tmp_path / foreign).parent.mkdir(exist_ok=True)
        (tmp_path / foreign).touch()
    (tmp_path / "tensorboard" / "events.out.tfevents.1700000000.host.1.0").touch()
    folder.check_usable()
    folder.clear()
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == ["notes.txt", "sheets/mine.png", "sheets/notes.txt", "tensorboard/notes.txt"]
    with pytest.raises(UsageError, match="not empty"):
        folder.check_usable()


@pytest.mark.parametrize("name", ["sheets", "tensorboard", "frames", "evidence", "frames/clip-0123456789ab"])
def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, name: str) -> None:
    folder = RunFolder(tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (folder.root / name).parent.mkdir(parents=True)
    folder.config.touch()
    folder.check_usable()
    (folder.root / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="expected a folder of the tool's own, found a link"):
        folder.check_usable()
