from __future__ import annotations

import sys
from pathlib import Path

import pytest

from vsodtool.errors import ConfigError
from vsodtool.media.training_run.tensorboard import TensorBoardLog


def test_without_tensorboard_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="tensorboard is not installed") as caught:
        TensorBoardLog(tmp_path, 0)
    assert "vsodtool[tensorboard]" in caught.value.hint


def test_numbers_of_events_become_scalars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert (folder, purge_step) == (str(tmp_path), 6)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def close(self) -> None:
            written.append(("closed", 0.0, 0))

    module = type(sys)("torch.utils.tensorboard")
    monkeypatch.setattr(module, "SummaryWriter", Writer, raising=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    log = TensorBoardLog(tmp_path, 5)
    log.write("step", {"step": 6, "epoch": 1, "loss": 0.5, "note": "text"})
    log.close()
    assert written == [("step/loss", 0.5, 6), ("closed", 0.0, 0)]
