"""One builder of intervals: what lies between which labels, what is filled and what is passed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.densify.interval.pixel_video import Pixels, Shape, pixel, shape
from vsodtool.errors import DataError
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.pipelines.densify.interval import (
    LabelledFrame,
    Reading,
    stream_intervals,
)
from vsodtool.types import Frame


def streamed(source: Any, labelled: set[int], targets: Callable[[list[int]], list[int]]) -> list[Shape]:
    found = []
    names = {source.names[index] for index in labelled}
    for interval in stream_intervals(
        source, names, lambda frame: torch.full((1, 1, 1, 1), float(frame.index)), targets, Path()
    ):
        assert [int(interval.rgb(index)[0, 0, 0]) for index in interval.sequence] == interval.sequence
        assert all(known.labels.item() == known.index for known in (interval.left, interval.right) if known)
        found.append(shape(interval))
        interval.frames.close()
    return found


def test_between_neighbouring_labels_and_before_and_after_them() -> None:
    assert streamed(Pixels(9, set()), {2, 5, 6}, list) == [
        (None, [0, 1], [], 2),
        (2, [3, 4], [], 5),
        (6, [7, 8], [], None),
    ]


def test_what_is_not_wanted_is_passed_and_intervals_without_targets_are_left_out() -> None:
    def even(between: list[int]) -> list[int]:
        return [index for index in between if index % 2 == 0]

    assert streamed(Pixels(9, set()), {0, 4, 7}, even) == [
        (0, [2], [1, 3], 4),
        (4, [6], [5], 7),
        (7, [8], [], None),
    ]
    assert streamed(Pixels(4, set()), {0, 2}, even) == []


def test_a_label_that_does_not_decode_ends_no_interval() -> None:
    assert streamed(Pixels(7, {3, 4}), {0, 3, 6}, list) == [(0, [1, 2, 5], [], 6)]
    with pytest.raises(DataError, match="clip: none of its 2 labelled frames decodes"):
        streamed(Pixels(7, {0, 3}), {0, 3}, list)


@given(st.integers(1, 20), st.data())
def test_every_frame_is_a_target_once_or_a_label(count: int, data: st.DataObject) -> None:
    labelled = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    lost = data.draw(st.sets(st.integers(0, count - 1)).filter(lambda lost: not labelled <= lost))
    found = streamed(Pixels(count, lost), labelled, list)
    targets = [index for _, chosen, _, _ in found for index in chosen]
    assert targets == sorted(set(range(count)) - labelled - lost)
    for left, chosen, _, right in found:
        assert left is None or left < min(chosen)
        assert right is None or right > max(chosen)
        ends = {left, right} - {None}
        assert ends
        assert ends <= labelled - lost


def test_the_receiver_closes_the_frames_also_of_the_last_interval(tmp_path: Path) -> None:
    """What is handed over stays open when the stream ends or is left."""
    kept = list(stream_intervals(Pixels(5, set()), {"f2"}, lambda _: torch.ones(1, 1, 1, 1), list, tmp_path))  # type: ignore[arg-type]
    assert [interval.rgb(at)[0, 0, 0] for interval, at in zip(kept, (1, 4), strict=True)] == [1, 4]
    stream = stream_intervals(Pixels(5, set()), {"f2"}, lambda _: torch.ones(1, 1, 1, 1), list, tmp_path)  # type: ignore[arg-type]
    first = next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert first.rgb(0)[0, 0, 0] == 0


def test_a_reading_ends_with_what_is_to_be_filled() -> None:
    reading = Reading(None, FrameStore(None, Path()))
    for index in (3, 4, 6):
        reading.add(Frame(index, str(index), pixel(index)))
    right = LabelledFrame(7, "7", pixel(7), torch.ones(1, 2, 1, 1))
    interval = reading.end(right, {6, 3, 5})  # 5 did not decode
    assert shape(interval) == (None, [3, 6], [4], 7)
    assert interval.sequence == [3, 4, 6, 7]
    assert interval.present == [True, True]
