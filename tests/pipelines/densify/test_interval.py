"""One builder of intervals: what lies between which labels, what is filled and what is passed."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video import frame_store
from vsodtool.media.video.frame_store import FrameStore
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import (
    Interval,
    LabelledFrame,
    OfLatest,
    OfLiving,
    Reading,
    SparseVideo,
    stream_intervals,
    to_channels,
)
from vsodtool.types import Frame

Film = Callable[..., Any]
Shape = tuple[int | None, list[int], list[int], int | None]


def pixel(index: int) -> Any:
    return np.full((1, 1, 3), index, np.uint8)


class Pixels:
    """A video of one pixel, of which some frames do not decode."""

    def __init__(self, count: int, lost: set[int]) -> None:
        self.names = [f"f{index}" for index in range(count)]
        self.video = type("Video", (), {"path": Path("clip"), "name": "clip"})
        self._lost = lost
        self.read: list[int] = []

    def __iter__(self) -> Any:
        return self.select(range(len(self.names)))

    def select(self, indices: Collection[int]) -> Iterator[Frame]:
        for index, name in enumerate(self.names):
            if index in indices and index not in self._lost:
                self.read.append(index)
                yield Frame(index, name, pixel(index))


class Labels:
    """Masks of one pixel."""

    object_ids = (1,)

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def read(self, name: str) -> Any:
        del name
        return np.ones((1, 1), np.uint16)


def shape(interval: Interval) -> Shape:
    left, right = (known and known.index for known in (interval.left, interval.right))
    return left, list(interval.targets), list(interval.passed), right


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


@given(st.integers(1, 16), st.data())
def test_reading_only_what_is_needed_comes_to_the_same_intervals(count: int, data: st.DataObject) -> None:
    """Whatever does not decode, labels of intervals included."""
    indices = st.sets(st.integers(0, count - 1))
    labelled = data.draw(st.sets(st.integers(0, count - 1), min_size=1))
    lost = data.draw(indices.filter(lambda lost: not labelled <= lost))
    finished = {f"f{index}" for index in data.draw(indices) | labelled}
    names = [f"f{index}" for index in sorted(labelled)]

    def found(*, everything: bool) -> tuple[list[Shape], list[int]]:
        source = Pixels(count, lost)
        video = SparseVideo(source, Labels(names), Path())  # type: ignore[arg-type]
        shapes = []
        for interval in video.intervals(finished, everything=everything):
            shapes.append(shape(interval))
            interval.frames.close()
        return sorted(shapes, key=lambda each: each[1]), source.read

    whole, _ = found(everything=True)
    part, read = found(everything=False)
    assert part == whole
    if not lost:
        needed = {index for left, chosen, _, right in whole for index in (left, *chosen, right)} - {None}
        assert read == sorted(needed)  # type: ignore[type-var]


@pytest.mark.parametrize("held", [frame_store.HELD_BYTES, 1], ids=["short", "long"])
def test_finished_intervals_of_a_video_are_left_out_as_a_whole(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(frame_store, "HELD_BYTES", held)
    clip = film([(1, 0)] * 12)
    clip.write_folder(tmp_path / "clip")
    source = open_frames(discover_videos([str(tmp_path / "clip")])[0])
    masks = match_masks(clip.write_masks(tmp_path / "masks", [0, 6, 12]), [source])["clip"]
    video = SparseVideo(source, masks, tmp_path)
    assert [shape(each)[1] for each in video.intervals(set())] == [[1, 2, 3, 4, 5], [7, 8, 9, 10, 11]]
    some = {f"{index:05d}" for index in (1, 2, 3, 4, 7, 8, 9, 10, 11)}
    (interval,) = video.intervals(some)
    assert shape(interval) == (0, [1, 2, 3, 4, 5], [], 6)
    assert interval.left is not None
    assert torch.equal(interval.left.labels[0, 0] > 0, torch.from_numpy(clip.truth[0] > 0))
    assert np.array_equal(interval.rgb(3), clip.frames[3])
    assert list(video.intervals({f"{index:05d}" for index in range(13)})) == []


@given(count=st.integers(2, 200), most=st.integers(1, 60), data=st.data())
def test_groups_are_whole_intervals(count: int, most: int, data: st.DataObject) -> None:
    labelled = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    finished = {f"f{index}" for index in data.draw(st.sets(st.integers(0, count - 1)))}
    video = SparseVideo(Pixels(count, set()), Labels([f"f{index}" for index in labelled]), Path())  # type: ignore[arg-type]
    groups = [[int(name[1:]) for name in group] for group in video.groups(finished, most)]
    bounds = [-1, *labelled, count]
    intervals = [list(range(a + 1, b)) for a, b in itertools.pairwise(bounds) if b - a > 1]
    needed = [each for each in intervals if not {f"f{index}" for index in each} <= finished]
    assert [index for group in groups for index in group] == [index for each in needed for index in each]
    for group in groups:
        own = [each for each in needed if each[0] in group]
        assert group == [index for each in own for index in each]  # none is divided
        assert len(group) <= most or len(own) == 1


def test_a_long_video_is_divided_more_finely_at_its_start() -> None:
    names = [f"f{index}" for index in range(0, 1201, 10)]
    video = SparseVideo(Pixels(1201, set()), Labels(names), Path())  # type: ignore[arg-type]
    sizes = [len(group) for group in video.groups(set(), 72)]
    assert sum(sizes) == 1080
    assert sizes[-7:] == [72] * 7
    assert sizes == sorted(sizes)
    assert sizes[0] == 9
    assert len(sizes) < 40


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


def test_a_channel_for_each_object() -> None:
    channels = to_channels(np.array([[0, 3], [7, 3]], np.uint16), (3, 7))
    assert channels.tolist() == [[[[0, 1], [0, 1]], [[0, 0], [1, 0]]]]
