"""Arrays put aside come back exactly, and nothing stays behind."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsodtool.errors import DeviceError
from vsodtool.media.spill import FrameSpill


def test_frames_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = {index: rng.integers(0, 256, (7, 5, 3), dtype=np.uint8) for index in (3, 0, 11)}
    with FrameSpill(tmp_path / "new") as spill:
        for index, rgb in frames.items():
            spill.put(index, rgb)
        for index, rgb in frames.items():
            found = spill.get(index)
            assert found.dtype == np.uint8
            assert np.array_equal(found, rgb)
        spill.put(0, frames[3])
        assert np.array_equal(spill.get(0), frames[3])


def test_other_arrays_come_back(tmp_path: Path) -> None:
    soft = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 4)[:, ::-1]
    with FrameSpill(tmp_path) as spill:
        spill.put(0, soft)
        assert spill.get(0).dtype == np.float32
        assert np.array_equal(spill.get(0), soft)


def test_what_is_absent_is_a_key_error(tmp_path: Path) -> None:
    with FrameSpill(tmp_path) as spill:
        spill.put(1, np.zeros(1))
        spill.discard(1)
        spill.discard(1)
        with pytest.raises(KeyError):
            spill.get(1)


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    spill = FrameSpill(tmp_path)
    spill.put(0, np.zeros((2, 2, 3), np.uint8))
    assert list(tmp_path.iterdir())
    spill.close()
    spill.close()
    assert not list(tmp_path.iterdir())


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    spill = FrameSpill(tmp_path)
    spill.put(0, np.zeros(3))
    del spill
    assert not list(tmp_path.iterdir())


def test_leftovers_of_killed_runs_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".vsodtool-spill-abc.tmp").mkdir()
    (tmp_path / ".vsodtool-spill-abc.tmp" / "00000000.raw").write_bytes(b"x")
    (tmp_path / "mine").mkdir()
    FrameSpill.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_full_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with FrameSpill(tmp_path) as spill:
        monkeypatch.setattr(Path, "open", full)
        with pytest.raises(DeviceError, match="no space left") as caught:
            spill.put(0, np.zeros(3))
        assert caught.value.exit_code == 5
        assert caught.value.hint
        with pytest.raises(KeyError):
            spill.get(0)


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    with FrameSpill(tmp_path) as spill, ThreadPoolExecutor(8) as pool:
        for index in range(4):
            spill.put(index, np.full((2, 3), index, np.float16))
        found = list(pool.map(lambda turn: int(spill.get(turn % 4).sum()) // 6, range(400)))
    assert found == [turn % 4 for turn in range(400)]


def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceError, match="cannot put frames aside"):
        FrameSpill(tmp_path / "file")
