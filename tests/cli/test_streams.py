"""Closed streams, a reader that goes, paths that cannot exist: the right code, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def shell(line: str) -> subprocess.CompletedProcess[str]:
    tool = f"{sys.executable} -m vsodtool"
    return subprocess.run(
        ["bash", "-c", line.replace("vsodtool", tool, 1)], capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    done = shell(f"vsodtool weights list {closed}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["--help", "flow --help"])
def test_help_whose_reader_goes(command: str) -> None:
    done = shell(f"vsodtool {command} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("place", ["input", "output"])
def test_names_that_no_file_can_have(tmp_path: Path, place: str) -> None:
    long = tmp_path / ("a" * 300)
    (tmp_path / "clip").mkdir()
    given = [long, tmp_path / "out"] if place == "input" else [tmp_path / "clip", long]
    done = shell(f"vsodtool flow {given[0]} -o {given[1]}")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_a_device_of_a_number_that_none_has(tmp_path: Path) -> None:
    done = shell(f"vsodtool flow {tmp_path} -o {tmp_path}/out --device cuda:{'9' * 5000}")
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr
