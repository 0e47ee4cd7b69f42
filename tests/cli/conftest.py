"""Running the command line, inside this process and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Cli = Callable[..., tuple[int, str, str]]
Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line in this process: exit code, stdout, stderr."""
    from vsodtool.cli.app import app
    from vsodtool.cli.failure import exit_code_of

    def run(*arguments: object) -> tuple[int, str, str]:
        given = [str(argument) for argument in arguments]
        code = exit_code_of(lambda: app(given, prog_name="vsodtool", standalone_mode=False))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """Run a command line as a process in an empty folder."""

    def run(
        *arguments: object, stdin: str = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1", **(env or {})},
            cwd=tmp_path,
            check=False,
        )

    return run


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "vsodtool", *map(str, arguments)]


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """A folder of four small frames, with a space and an umlaut in its name."""
    folder = tmp_path / "clip ü"
    folder.mkdir()
    for index in range(4):
        picture = np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
    return folder
