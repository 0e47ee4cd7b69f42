"""Who holds a file, and who is kept from it; each `open` counts as a process of its own, as flock sees it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from vsodtool.pipelines.running.staging.file_lock import hold

fcntl = pytest.importorskip("fcntl")


def test_one_alone_or_several_that_share(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with path.open("w") as first, path.open("w") as second, path.open("w") as third:
        assert hold(first, shared=True)
        assert hold(second, shared=True, wait=False)
        assert not hold(third, wait=False)
        second.close()
        assert hold(first)  # from shared to alone, once nobody else shares
        assert not hold(third, shared=True, wait=False)
        first.close()
        assert hold(third, wait=False)


@pytest.mark.parametrize("wait", [True, False])
def test_a_disk_that_knows_no_locks(wait: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unknown)
    with (tmp_path / ".lock").open("w") as lock:
        assert hold(lock, wait=wait) is wait  # without waiting nobody may throw it away


def test_another_failure_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fcntl.flock", broken)
    with (tmp_path / ".lock").open("w") as lock, pytest.raises(OSError, match="Input/output error"):
        hold(lock)
