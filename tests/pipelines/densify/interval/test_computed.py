"""What is kept of labelled frames and intervals, and what is forgotten."""

from __future__ import annotations

import weakref
from pathlib import Path

import pytest

from tests.pipelines.densify.interval.pixel_video import pixel
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.pipelines.densify.interval import Interval, OfLatest, OfLiving


def test_of_the_latest_frames_all_is_kept_that_was_computed() -> None:
    """Twenty objects of two frames are more than a few frames of one."""
    kept: OfLatest[str] = OfLatest(remembered=2)
    frames = [pixel(number) for number in range(3)]
    asked: list[tuple[int, int]] = []

    def compute(frame: int, key: int) -> str:
        asked.append((frame, key))
        return f"{frame} {key}"

    def ask(frame: int, key: int) -> str:
        return kept.get(frames[frame], key, lambda: compute(frame, key))

    for _ in range(2):
        assert [ask(frame, key) for key in range(20) for frame in (0, 1)]
    assert len(asked) == 40
    assert ask(2, 0) == "2 0"  # the frame used longest ago is forgotten
    assert (ask(1, 5), ask(2, 0), ask(0, 5)) == ("1 5", "2 0", "0 5")
    assert asked[40:] == [(2, 0), (0, 5)]


def test_another_frame_of_the_same_content_is_another_frame() -> None:
    kept: OfLatest[int] = OfLatest()
    first, second = pixel(1), pixel(1)
    assert kept.get(first, "key", lambda: 1) == 1
    assert kept.get(second, "key", lambda: 2) == 2
    assert kept.get(first, "key", lambda: 3) == 1


def test_what_failed_is_computed_again() -> None:
    kept: OfLatest[int] = OfLatest()
    frame = pixel(1)
    with pytest.raises(ZeroDivisionError):
        kept.get(frame, "key", lambda: 1 // 0)
    assert kept.get(frame, "key", lambda: 5) == 5


def test_what_was_computed_of_a_thing_is_gone_with_it() -> None:
    kept: OfLiving[object] = OfLiving()
    interval, other = (
        Interval(None, None, [2], FrameStore(None, Path())) for _ in range(2)
    )  # equal, not one
    first = kept.get(interval, 0, object)
    assert kept.get(interval, 0, object) is first
    assert len({first, kept.get(interval, 1, object), kept.get(other, 0, object)}) == 3
    gone = weakref.ref(interval)
    del interval
    assert (gone(), len(kept._kept)) == (None, 1)
