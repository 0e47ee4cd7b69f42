"""Frames come back as they were put, in memory and from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vsodtool.media.video import frame_store
from vsodtool.media.video.frame_store import FEWEST_HELD, FrameStore
from vsodtool.types import Frame


def frame(index: int) -> Frame:
    return Frame(index, f"{index:05d}", np.full((4, 6, 3), index, np.uint8))


@pytest.mark.parametrize("count", [FEWEST_HELD, FEWEST_HELD + 3])
def test_every_frame_comes_back_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(frame_store, "HELD_BYTES", 0)  # the fewest that are held then
    store = FrameStore(None, tmp_path)
    for index in range(count):
        store.put(frame(index))
    assert store.is_long is (count > FEWEST_HELD)
    for index in reversed(range(count)):
        assert np.array_equal(store.get(index), frame(index).rgb)
    store.close()


def test_few_frames_never_touch_the_disk(tmp_path: Path) -> None:
    store = FrameStore(None, tmp_path / "none")
    store.put(frame(3))
    assert np.array_equal(store.get(3), frame(3).rgb)
    store.close()
    assert not (tmp_path / "none").exists()
