"""Two runs at once on one output folder are noticed; a dead one is no hindrance."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from vsodtool.errors import DeviceError
from vsodtool.media.output.lock import Holding, OutputLock, probe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no flock on Windows")

HOLDER = """
import sys, time
from pathlib import Path
from vsodtool.media.output.lock import Holding, OutputLock, probe
lock = OutputLock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_held_then_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = OutputLock(path)
    with pytest.raises(DeviceError, match=f"process {os.getpid()}") as caught:
        OutputLock(path)
    assert str(tmp_path) in caught.value.message
    first.release()
    first.release()
    assert list(tmp_path.iterdir()) == []
    OutputLock(path).release()


def test_another_process_is_named_and_its_death_frees_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        with pytest.raises(DeviceError, match=f"process {process.pid}"):
            OutputLock(path)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert path.exists()
    OutputLock(path).release()
    assert not path.exists()


def test_never_two_holders_while_it_changes_hands(tmp_path: Path) -> None:
    """The file is removed at release: nobody may end up with a lock on a file that has gone."""
    holders = 0
    most = 0
    guard = threading.Lock()

    def work() -> None:
        nonlocal holders, most
        for _ in range(200):
            try:
                lock = OutputLock(tmp_path / "lock")
            except DeviceError:
                continue
            with guard:
                holders += 1
                most = max(most, holders)
            with guard:
                holders -= 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def fail_with(code: int) -> object:
    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def test_disks_without_locks_are_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", fail_with(errno.ENOLCK))
    OutputLock(tmp_path / "lock").release()


def test_other_failures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="cannot write"):
        OutputLock(tmp_path / "absent" / "lock")
    monkeypatch.setattr("fcntl.flock", fail_with(errno.EIO))
    with pytest.raises(DeviceError, match="cannot lock"):
        OutputLock(tmp_path / "lock")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsodtool.media.output.lock.os.write", fail_with(errno.ENOSPC))
    with pytest.raises(DeviceError, match="disk full"):
        OutputLock(tmp_path / "lock")
    monkeypatch.undo()
    OutputLock(tmp_path / "lock").release()


def test_a_shared_lock_is_for_many_but_not_beside_an_exclusive_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = OutputLock(path, shared=True), OutputLock(path, shared=True)
    with pytest.raises(DeviceError, match="another run"):
        OutputLock(path)
    first.release()
    with pytest.raises(DeviceError, match="another run"):
        OutputLock(path)
    second.release()
    assert not path.exists()
    whole = OutputLock(path)
    with pytest.raises(DeviceError, match="another run"):
        OutputLock(path, shared=True)
    whole.release()


def test_waiting_for_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = OutputLock(path)
    taken = threading.Event()

    def wait() -> None:
        lock = OutputLock(path, wait=True)
        taken.set()
        lock.release()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not taken.wait(0.2)
    first.release()
    thread.join()
    assert taken.is_set()
    assert not path.exists()


def test_probing_tells_held_from_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lock"
    assert probe(path) is Holding.FREE
    lock = OutputLock(path)
    assert probe(path) is Holding.HELD
    lock.release()
    path.write_text("123")  # as a killed process leaves it
    monkeypatch.setattr("fcntl.flock", fail_with(errno.ENOLCK))
    assert probe(path) is Holding.UNKNOWN
    monkeypatch.undo()
    assert probe(path) is Holding.FREE
    assert not path.exists()
