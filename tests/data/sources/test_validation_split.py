from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.validation_split import check_disjoint, split_videos
from vsodtool.errors import DataError

Nowhere = Callable[..., LabelledVideo]


@given(number=st.integers(2, 20), share=st.floats(0.01, 0.99), seed=st.integers(0, 99))
def test_by_whole_videos_never_overlapping(nowhere: Nowhere, number: int, share: float, seed: int) -> None:
    videos = [nowhere([0, 4], [2], name=f"v{one}") for one in range(number)]
    train, validation = split_videos(videos, share, seed)
    names = ([video.name for video in train], [video.name for video in validation])
    assert sorted(names[0] + names[1]) == sorted(video.name for video in videos)
    assert names[0]
    assert names[1]
    assert all(frame.given for video in validation for frame in video.frames)
    check_disjoint(train, validation)


def test_the_seed_chooses_and_the_order_of_the_sources_does_not(nowhere: Nowhere) -> None:
    videos = [nowhere([0, 1], name=f"v{one}") for one in range(12)]

    def aside(given_videos: list[LabelledVideo], seed: int) -> set[str]:
        return {video.name for video in split_videos(given_videos, 0.25, seed).validation}

    assert aside(videos, 3) == aside(videos[::-1], 3)
    assert len({frozenset(aside(videos, seed)) for seed in range(5)}) > 1
    assert len(aside(videos, 0)) == 3


def test_labels_of_the_same_frames_stay_together(nowhere: Nowhere) -> None:
    videos = [nowhere([0, 4], name=name) for name in "abcd"] + [nowhere([0, 4], [1, 2], name="a")]
    for seed in range(8):
        train, validation = split_videos(videos, 0.3, seed)
        assert not {v.place for v in train} & {v.place for v in validation}


def test_a_single_video_is_split_in_time(nowhere: Nowhere) -> None:
    train, validation = split_videos([nowhere(range(0, 20, 2), range(1, 20, 2))], 0.2, 0)
    assert [frame.position for frame in validation[0].frames] == [16, 18]
    assert max(frame.position for frame in train[0].frames) == 15


def test_still_images_are_split_one_by_one(nowhere: Nowhere) -> None:
    images = nowhere(range(10), name="s", stills=True)
    train, validation = split_videos([images, images], 0.2, 0)  # given twice, held once
    assert (sum(len(v.frames) for v in train), sum(len(v.frames) for v in validation)) == (8, 2)
    check_disjoint(train, validation)


def test_too_little_to_set_aside(nowhere: Nowhere) -> None:
    with pytest.raises(DataError, match="no validation data: expected at least 2 given masks, found 1"):
        split_videos([nowhere([3], [4, 5])], 0.1, 0)
    with pytest.raises(DataError, match="no validation data: expected at least 2 images, found 1"):
        split_videos([nowhere([3], stills=True)], 0.1, 0)


def test_refuses_validation_on_training_data(nowhere: Nowhere) -> None:
    with pytest.raises(DataError, match=r"2 frames are in the training and in the validation data: .*/a/0"):
        check_disjoint([nowhere([0, 1, 2], name="a")], [nowhere([0, 2, 5], name="a")])
