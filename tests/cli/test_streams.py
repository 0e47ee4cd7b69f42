"""Closed streams, readers that go, a full disk, through the entry point: the right code, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(line: str) -> subprocess.CompletedProcess[str]:
    tool = f"{sys.executable} -m vsodtool"
    return subprocess.run(
        ["bash", "-c", line.replace("vsodtool", tool, 1)], capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    done = shell(f"vsodtool weights list {closed}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["--help", "flow --help", "--version", "weights list"])
def test_a_reader_of_stdout_that_goes_has_all_it_wanted(command: str) -> None:
    done = shell(f"vsodtool {command} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "code"),
    [("evaluate none none", 3), ("flow", 2), ("weights show nothing", 4)],
)
def test_a_reader_of_stderr_that_goes_makes_no_success_of_a_failure(command: str, code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    arguments = [sys.executable, "-m", "vsodtool", *command.split()]
    done = subprocess.run(arguments, stderr=write, stdout=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stdout) == (code, b"")


@needs_full
@pytest.mark.parametrize(
    ("command", "unbuffered"), [("flow --help", ""), ("--version", "1"), ("weights list --json", "")]
)
def test_a_full_disk_under_stdout_is_said(
    command: str, unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = shell(f"vsodtool {command} > /dev/full")
    assert done.returncode == 5
    assert done.stderr.splitlines() == [
        "error: disk full (stdout)",
        "hint: free some space and run the same command again",
    ]


def test_a_stdout_that_cannot_be_written_to_is_said() -> None:
    done = shell("vsodtool --version 1< /dev/null")
    assert done.returncode == 5
    assert done.stderr.splitlines()[0] == "error: the system refuses: Bad file descriptor (stdout)"


@needs_full
@pytest.mark.parametrize(("command", "code"), [("weights show nothing", 4), ("--version", 0)])
def test_a_full_disk_under_stderr_changes_nothing(command: str, code: int) -> None:
    done = shell(f"vsodtool {command} 2> /dev/full")
    assert done.returncode == code
    assert shell(f"vsodtool {command} > /dev/full 2>&1").returncode == (code or 5)


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
