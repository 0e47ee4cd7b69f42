"""A stand-in for a video input, and a bucket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.s3 import server, store

__all__ = ["server", "store"]


@dataclass(frozen=True)
class FakeInput:
    """The three attributes of a VideoInput that fingerprints look at."""

    name: str
    path: Path
    files: tuple[Path, ...] = ()


@pytest.fixture
def make_input(tmp_path: Path) -> Callable[..., FakeInput]:
    """Make a small video file, or a folder of small files, under tmp_path/in."""

    def make(name: str, frames: int = 0) -> FakeInput:
        folder = tmp_path / "in"
        folder.mkdir(exist_ok=True)
        if frames == 0:
            (folder / f"{name}.mp4").write_bytes(b"video " + name.encode())
            return FakeInput(name, folder / f"{name}.mp4")
        (folder / name).mkdir()
        files = tuple(folder / name / f"{index:05d}.jpg" for index in range(frames))
        for path in files:
            path.write_bytes(b"frame " + path.name.encode())
        return FakeInput(name, folder / name, files)

    return make
