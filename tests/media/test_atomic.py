"""A file is there complete or not at all, also on a full disk and after a kill."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DeviceError
from vsodtool.media import atomic
from vsodtool.media.atomic import (
    atomic_path,
    disk_error,
    remove_leftovers,
    temporary_path,
    write_bytes_atomically,
)

Mount = Callable[[str], Path]


def failing(code: int) -> Callable[..., int]:
    def fail(*args: object, **kwargs: object) -> int:
        raise OSError(code, os.strerror(code))

    return fail


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "été 1.png"
    write_bytes_atomically(path, b"one")
    write_bytes_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert names(path.parent) == ["été 1.png"]


def test_writes_nothing_as_an_empty_file(tmp_path: Path) -> None:
    write_bytes_atomically(tmp_path / "empty", b"")
    assert (tmp_path / "empty").read_bytes() == b""


def test_honours_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes_atomically(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_replaces_a_link_instead_of_writing_through_it(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"precious")
    (tmp_path / "out").symlink_to(tmp_path / "input")
    write_bytes_atomically(tmp_path / "out", b"new")
    assert (tmp_path / "input").read_bytes() == b"precious"
    assert (tmp_path / "out").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127])
def test_long_names_fit(tmp_path: Path, name: str) -> None:
    write_bytes_atomically(tmp_path / name, b"x")
    assert names(tmp_path) == [name]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk full"),
        (errno.EDQUOT, "disk full"),
        (errno.EACCES, "not writable"),
        (errno.EROFS, "not writable"),
        (errno.EIO, "cannot write"),
    ],
)
def test_says_what_the_disk_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", failing(code))
    with pytest.raises(DeviceError, match=words) as caught:
        write_bytes_atomically(path, b"new")
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_disk_full_while_opening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.os, "open", failing(errno.ENOSPC))
    with pytest.raises(DeviceError, match="disk full"):
        write_bytes_atomically(tmp_path / "file", b"new")


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(DeviceError, match="cannot write"):
        write_bytes_atomically(tmp_path / "file", b"new")
    (tmp_path / "plain").write_bytes(b"")
    with pytest.raises(DeviceError, match="cannot write"):
        write_bytes_atomically(tmp_path / "plain" / "file", b"new")
    assert names(tmp_path) == ["file", "plain"]


def test_really_full_disk(mount_tmpfs: Mount) -> None:
    disk = mount_tmpfs("size=64k")
    write_bytes_atomically(disk / "small", b"x" * 1000)
    with pytest.raises(DeviceError, match="disk full"):
        write_bytes_atomically(disk / "large", b"x" * 100_000)
    with pytest.raises(DeviceError, match="disk full"), atomic_path(disk / "lent") as path:
        path.write_bytes(b"x" * 100_000)
    assert names(disk) == ["small"]


def test_really_read_only_disk(mount_tmpfs: Mount) -> None:
    disk = mount_tmpfs("ro")
    with pytest.raises(DeviceError, match="not writable"):
        write_bytes_atomically(disk / "file", b"x")
    with pytest.raises(DeviceError, match="not writable"), atomic_path(disk / "sub" / "file"):
        pass


def test_lends_a_path(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "film.mp4"
    with atomic_path(path) as lent:
        assert lent.parent == path.parent
        lent.write_bytes(b"film")
        assert not path.exists()
    assert path.read_bytes() == b"film"
    assert names(path.parent) == ["film.mp4"]


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic_path(path) as lent:
            lent.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["film.mp4"]


def test_other_errors_of_the_writer_stay_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "film.mp4"):
        (tmp_path / "another").read_bytes()
    with pytest.raises(DeviceError, match="cannot write"), atomic_path(tmp_path / "film.mp4"):
        pass  # the writer wrote nothing


def test_removes_leftovers_and_nothing_else(tmp_path: Path) -> None:
    kept = [".hidden", "a.tmp", ".a.tmp", ".a.vsod123.tmp", "a.vsod0123456789ab.tmp", ".b.0123456789ab.tmp"]
    for name in kept:
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sub").mkdir()
    for leftover in (temporary_path(tmp_path / "x.png"), temporary_path(tmp_path / "sub" / "y.png")):
        leftover.write_bytes(b"half")
    assert remove_leftovers(tmp_path, recursive=False) == 1
    assert remove_leftovers(tmp_path) == 1
    assert names(tmp_path) == sorted([*kept, "sub"])
    assert remove_leftovers(tmp_path / "absent") == 0


def test_does_not_look_for_leftovers_behind_links(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    temporary_path(tmp_path / "elsewhere" / "x").write_bytes(b"")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "elsewhere")
    assert remove_leftovers(tmp_path / "out") == 0


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_every_temporary_name_is_recognised(name: str) -> None:
    temporary = temporary_path(Path("/folder") / f"{name}.png")
    assert temporary.parent == Path("/folder")
    assert atomic._LEFTOVER.match(temporary.name)
    assert len(os.fsencode(temporary.name)) <= 255


def test_unknown_errors_are_told(tmp_path: Path) -> None:
    assert "strange" in disk_error(OSError("strange"), tmp_path).message


WRITER = """
import itertools, sys
from pathlib import Path
from vsodtool.media.atomic import write_bytes_atomically
print("ready", flush=True)
for number in itertools.count():
    write_bytes_atomically(Path(sys.argv[1], f"{number % 7}.bin"), bytes([number % 251]) * 1_000_000)
"""


def test_killed_at_any_moment_shows_no_half_file(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for delay in (0.0, 0.013, 0.031, 0.057):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        for path in folder.glob("*.bin"):
            content = path.read_bytes()
            assert len(content) == 1_000_000
            assert len(set(content)) == 1
    remove_leftovers(folder)
    assert all(path.suffix == ".bin" for path in folder.iterdir())
