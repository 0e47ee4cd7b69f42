"""An interval as it stands: its objects, its sequence, what both labels show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.pipelines.densify.interval.pixel_video import pixel
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.pipelines.densify.interval import (
    Interval,
    LabelledFrame,
)


def test_some_objects_of_an_interval_know_their_channels_in_the_video() -> None:
    labels = torch.arange(4.0).view(1, 4, 1, 1)
    left = LabelledFrame(1, "1", pixel(1), labels)
    interval = Interval(left, None, [2], FrameStore(None, Path()))
    assert list(interval.objects) == [0, 1, 2, 3]
    assert interval.only([0, 1, 2, 3]) is interval
    some = interval.only([1, 3])
    assert some.known.labels.flatten().tolist() == [1, 3]
    assert (list(some.objects), some.right, some.known.rgb is left.rgb) == ([1, 3], None, True)
    last = some.only([1])
    assert last.known.labels.flatten().tolist() == [3]
    assert list(last.objects) == [3]


def labelled(index: int, *areas: int) -> LabelledFrame:
    """One object per area, of so many pixels of the first row of a 2x4 frame."""
    labels = torch.zeros(1, len(areas), 2, 4)
    for number, area in enumerate(areas):
        labels[0, number, 0, :area] = 1
    return LabelledFrame(index, str(index), np.full((2, 4, 3), index, np.uint8), labels)


def test_what_both_labels_show_and_what_one_of_them_does() -> None:
    interval = Interval(labelled(2, 3, 0, 1), labelled(7, 2, 4, 0), [4, 6], FrameStore(None, Path()), [3, 5])
    assert interval.sequence == [2, 3, 4, 5, 6, 7]
    assert interval.present == [True, True, True]
    assert interval.shown_twice == {0: 2}  # pixels of the smaller of its two masks
    assert interval.size == (2, 4)
    assert interval.rgb(7).max() == 7
    alone = Interval(interval.left, None, [4], FrameStore(None, Path()), [3])
    assert (alone.sequence, alone.present, alone.shown_twice) == ([2, 3, 4], [True, False, True], {})
    assert alone.known is alone.left


def test_where_the_labels_are_already_nothing_is_moved() -> None:
    interval = Interval(labelled(2, 3), None, [4], FrameStore(None, Path()))
    assert interval.on(torch.device("cpu")) is interval
    moved = interval.on(torch.device("meta"))
    assert moved.known.labels.device.type == "meta"
    assert interval.known.labels.device.type == "cpu"
