"""A working folder that is gone, too little memory to begin: exit code 5, one line and a hint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = f"{sys.executable} -m vsodtool"


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, encoding="utf-8", cwd=folder, check=False
    )


@pytest.mark.parametrize("command", ["flow clip -o out", "flow /clip -o /out", "weights verify"])
def test_a_working_folder_that_is_gone(command: str, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = shell(f"cd gone && rmdir ../gone && {TOOL} {command}", tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.splitlines() == [
        "error: the working folder is gone",
        "hint: change to a folder that exists, and run it there",
    ]


def test_without_a_working_folder_there_is_help(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    done = shell(f"cd gone && rmdir ../gone && {TOOL} flow --help", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to `ulimit -v`")
@pytest.mark.parametrize("kibibytes", [60_000, 150_000, 600_000])
def test_memory_that_does_not_suffice_for_loading(kibibytes: int, tmp_path: Path) -> None:
    done = shell(f"ulimit -v {kibibytes}; {TOOL} flow . -o out", tmp_path)
    assert (done.returncode, done.stdout) == (5, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"error: out of memory: the limit of this shell (`ulimit -v`, {kibibytes} KiB)")
    assert hint == "hint: raise it, or lift it with `ulimit -v unlimited`"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to `ulimit -v`")
def test_a_limit_that_suffices_changes_nothing(tmp_path: Path) -> None:
    done = shell(f"ulimit -v 8000000; {TOOL} evaluate none none", tmp_path)
    assert done.returncode == 3
    assert "none" in done.stderr


def test_no_garbage_is_looked_for_while_libraries_load(tmp_path: Path) -> None:
    (tmp_path / "library.py").write_text("import gc\nwas = gc.isenabled()\n")
    code = (
        "import gc\n"
        "from vsodtool.cli.work import at_work\n"
        "with at_work('library'):\n"
        "    import library\n"
        "    assert (library.was, gc.isenabled()) == (False, True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_libraries_do_not_complain_of_what_is_left_at_the_end() -> None:
    code = (
        "from vsodtool.cli.work import at_work\n"
        "with at_work('vsodtool.pipelines.train'):\n"
        "    import torch._dynamo\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
