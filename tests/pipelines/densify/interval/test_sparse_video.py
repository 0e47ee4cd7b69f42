"""Which intervals of a video are made, in which groups, and what is read for them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.densify.interval.pixel_video import Labels, Pixels, Shape, shape
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video import frame_store
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.densify.interval import (
    SparseVideo,
)

Film = Callable[..., Any]


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
