from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.validation_split import Scope, check_disjoint, split_videos
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
    assert all(video.given for video in validation)
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
    assert [frame.position for frame in validation[0].given] == [16, 18]
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


def test_few_videos_lend_stretches_and_none_is_lost(nowhere: Nowhere) -> None:
    masks = range(0, 70, 5)
    between = [place for place in range(66) if place % 5]
    videos = [nowhere(masks, between, name=name) for name in "ab"]
    train, validation = split_videos(videos, 0.15, 0, stretches=True)
    assert {video.name for video in train} == {video.name for video in validation} == {"a", "b"}
    for video in validation:
        first, last = (frame.position for frame in video.given)
        assert last == first + 5
        assert [frame.position for frame in video.frames] == list(range(first - 4, last + 5))
        left = [frame.position for part in train if part.name == video.name for frame in part.frames]
        assert left == [*range(first - 4), *range(last + 5, 66)]  # with a gap of one label on both sides
    assert len(train) == 4  # no clip goes across what was taken out
    assert split_videos(videos[::-1], 0.15, 0, stretches=True) == (train, validation)


@given(
    lengths=st.lists(st.integers(3, 40), min_size=1, max_size=5),
    every=st.integers(1, 9),
    share=st.floats(0.01, 0.29),
    seed=st.integers(0, 9),
)
def test_stretches_never_overlap_what_is_trained_on(
    nowhere: Nowhere, lengths: list[int], every: int, share: float, seed: int
) -> None:
    videos = [
        nowhere(range(0, every * count, every), name=f"v{number}") for number, count in enumerate(lengths)
    ]
    train, validation = split_videos(videos, share, seed, stretches=True)
    check_disjoint(train, validation)
    assert validation
    assert all(part.given for part in [*train, *validation])
    assert {part.name for part in train} == {video.name for video in videos}


def test_whole_videos_where_the_share_is_two_of_them(nowhere: Nowhere) -> None:
    videos = [nowhere(range(0, 50, 5), name=f"v{one}") for one in range(10)]
    train, validation = split_videos(videos, 0.15, 0, stretches=True)
    assert (len(train), len(validation)) == (8, 2)
    assert Scope.of(train, validation) is Scope.OTHER_VIDEOS
    train, validation = split_videos(videos, 0.14, 0, stretches=True)
    assert Scope.of(train, validation) is Scope.SAME_VIDEOS


def test_too_few_masks_for_a_stretch(nowhere: Nowhere) -> None:
    pair = [nowhere([0, 9], name="a"), nowhere([0, 9], name="b")]
    assert [len(part) for part in split_videos(pair, 0.1, 0, stretches=True)] == [1, 1]
    train, validation = split_videos([nowhere([0, 9])], 0.1, 0, stretches=True)
    assert ([f.position for f in train[0].frames], [f.position for f in validation[0].frames]) == ([0], [9])
    assert Scope.of(train, validation) is Scope.SAME_VIDEOS


def test_images_speak_for_images(nowhere: Nowhere) -> None:
    assert Scope.of(*split_videos([nowhere(range(10), stills=True)], 0.2, 0)) is Scope.OTHER_IMAGES


@pytest.mark.parametrize("frames", [40, 61, 121, 600])
@pytest.mark.parametrize("share", [0.15, 0.3])
def test_the_gaps_of_a_video_masked_all_over_leave_something_to_train_on(
    nowhere: Nowhere, frames: int, share: float
) -> None:
    train, validation = split_videos([nowhere(range(frames))], share, 0, stretches=True)
    assert sum(len(part.frames) for part in train) >= 0.4 * frames
    assert sum(len(part.given) for part in validation) >= share * frames
    assert max(len(part.frames) for part in train) >= 8  # so that clips fit in
