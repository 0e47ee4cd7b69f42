"""Disks that are small or read-only, and a stand-in for a video input."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

Mount = Callable[[str], Path]


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


@pytest.fixture
def mount_tmpfs(tmp_path: Path) -> Iterator[Mount]:
    """Mount a tmpfs with the given options; `remount` changes them. Skips where this user may not mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = False

    def mount(options: str) -> Path:
        nonlocal mounted
        if os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("mounting a tmpfs needs root")
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot mount a tmpfs here: {done.stderr.strip()}")
        mounted = True
        return folder

    yield mount
    if mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)
