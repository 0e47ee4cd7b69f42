"""What readers and writers of all formats share."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from vsodtool.errors import DataError
from vsodtool.media.annotations.model import FrameKey, ReadOptions, Shape


def broken(place: str) -> int:
    raise DataError(f"{place}: expected a polygon, found none", "")


@pytest.mark.parametrize(
    ("name", "stem"), [("clip/00001.jpg", "00001"), (r"C:\clip\a b.png", "a b"), ("00001", "00001"), ("", "")]
)
def test_the_stem_of_a_frame(name: str, stem: str) -> None:
    assert FrameKey(name).stem == stem


def test_a_frame_without_a_number_has_that_of_its_place() -> None:
    assert FrameKey("a.jpg").number_or(7) == 7
    assert FrameKey("a.jpg", 0).number_or(7) == 0
    assert (str(FrameKey("a.jpg", 3)), str(FrameKey("", 3))) == ("a.jpg", "frame 3")


def test_writers_need_sizes() -> None:
    assert FrameKey("a.jpg", size=(8, 10)).known_size == (8, 10)
    with pytest.raises(ValueError, match=r"a\.jpg: a writer needs the size"):
        _ = FrameKey("a.jpg").known_size


@pytest.mark.parametrize(
    ("track", "number"),
    [("7", 7), ("007", 7), ("dog", None), (None, None), ("-1", None), ("1234567890", None)],
)
def test_tracks_that_are_numbers(track: str | None, number: int | None) -> None:
    assert Shape("dog", lambda size: np.zeros(size, bool), "here", track=track).number == number


def test_a_bad_shape_is_refused_or_left_out_and_counted() -> None:
    left_out: Counter[str] = Counter()
    assert ReadOptions().attempt(left_out, max, 1, 2) == 2
    with pytest.raises(DataError, match="here: expected a polygon"):
        ReadOptions().attempt(left_out, broken, "here")
    assert not left_out
    assert ReadOptions(skip_bad=True).attempt(left_out, broken, place="here") is None
    assert left_out == {"unreadable": 1}
