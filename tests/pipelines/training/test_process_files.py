"""What a killed run leaves behind is cleared by the next one, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from vsodtool.pipelines.training.process_files import clear_abandoned

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="semaphores can be listed on Linux only")

# A process that makes a socket's folder and a semaphore as a reader of data does, says so, and waits.
PROGRAM = """
import multiprocessing, sys, time
from multiprocessing import util
from vsodtool.pipelines.training.process_files import own_process_files
own_process_files()
lock = multiprocessing.get_context("spawn").Lock()
print(util.get_temp_dir(), lock._semlock.name, flush=True)
if "end" not in sys.argv:
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(*arguments: str) -> tuple[subprocess.Popen[str], Path, Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    folder, semaphore = process.stdout.readline().split()
    return process, Path(folder), Path("/dev/shm") / f"sem.{semaphore[1:]}"


def test_the_files_of_a_killed_process_are_cleared_those_of_a_living_one_stay(temporary: Path) -> None:
    killed, folder, semaphore = start()
    living, kept, kept_semaphore = start()
    try:
        assert folder.parent == temporary
        assert folder.is_dir()
        assert semaphore.exists()
        os.killpg(killed.pid, signal.SIGKILL)  # with the process that would have tidied up
        killed.wait()
        assert folder.is_dir()
        assert clear_abandoned() == 1
        assert not folder.exists()
        assert not semaphore.exists()
        assert kept.is_dir()
        assert kept_semaphore.exists()
    finally:
        os.killpg(living.pid, signal.SIGKILL)
        living.communicate()
        killed.communicate()
    assert clear_abandoned() == 1
    assert list(temporary.iterdir()) == []


def test_a_process_that_ends_by_itself_leaves_nothing(temporary: Path) -> None:
    process, folder, semaphore = start("end")
    process.communicate()
    assert process.returncode == 0
    assert not folder.exists()
    assert not semaphore.exists()


def test_what_is_not_of_a_run_stays(temporary: Path) -> None:
    (temporary / "elsewhere").mkdir()
    (temporary / "vsodtool-readers-link").symlink_to("elsewhere")
    (temporary / "vsodtool-readers-file").touch()
    (temporary / "vsodtool-readers-empty").mkdir()  # without a lock: somebody is about to take it
    assert clear_abandoned() == 0
    assert len(list(temporary.iterdir())) == 4
