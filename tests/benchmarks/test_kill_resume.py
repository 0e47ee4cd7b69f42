"""The kill benchmark notices what it looks for: half files, and outputs that differ."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from vsodtool.media.images import encode_png

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("kill_resume")


def write(root: Path, seconds: float = 1.0) -> None:
    png = encode_png(np.random.default_rng(0).integers(0, 255, (20, 30), dtype=np.uint8))
    files = {
        "masks/v/00000.png": png,
        "masks/v/.00001.png.tmp": png[:50],
        "frames.csv": b"video,frame\nv,00000\n",
        "manifest.json": json.dumps({"seconds": seconds, "config": {"output": str(root)}}).encode(),
    }
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def test_half_files_are_noticed(tool: ModuleType, tmp_path: Path) -> None:
    write(tmp_path)
    assert tool.broken_files(tmp_path) == []
    for name in ("masks/v/00000.png", "frames.csv", "manifest.json"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) - 5])
        assert tool.broken_files(tmp_path) == [name]
        (tmp_path / name).write_bytes(whole)
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert tool.broken_files(tmp_path) == ["a.mp4"]


def test_outputs_are_compared_without_times_and_places(tool: ModuleType, tmp_path: Path) -> None:
    write(tmp_path / "a", seconds=1.0)
    write(tmp_path / "b", seconds=2.0)
    assert tool.digest(tmp_path / "a") == tool.digest(tmp_path / "b")
    (tmp_path / "b" / "frames.csv").write_bytes(b"video,frame\nv,00001\n")
    assert tool.digest(tmp_path / "a") != tool.digest(tmp_path / "b")
