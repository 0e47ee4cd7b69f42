from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.data.sources.labelled import LabelledVideo
from vsodtool.data.sources.thinning import thin_labels
from vsodtool.errors import ConfigError

Nowhere = Callable[..., LabelledVideo]


def places(video: LabelledVideo) -> tuple[list[int], list[int]]:
    return (
        [frame.position for frame in video.frames if frame.given],
        [frame.position for frame in video.frames if not frame.given],
    )


def test_l_keeps_every_lth_and_the_last(nowhere: Nowhere) -> None:
    assert places(thin_labels(nowhere(range(0, 20, 2)), 4)) == ([0, 8, 16, 18], [])


def test_m_spreads_evenly_between_neighbours(nowhere: Nowhere) -> None:
    video = nowhere([0, 10, 20], set(range(21)) - {0, 10, 20})
    assert places(thin_labels(video, 1, 1)) == ([0, 10, 20], [5, 15])
    assert places(thin_labels(video, 1, 4))[1] == [2, 4, 6, 8, 12, 14, 16, 18]
    assert places(thin_labels(video, 1, 0)) == ([0, 10, 20], [])
    assert places(thin_labels(video, 1, -1))[1] == [p for p in range(21) if p not in (0, 10, 20)]


def test_given_masks_that_l_leaves_out_do_not_come_back_as_pseudo_labels(nowhere: Nowhere) -> None:
    video = nowhere([0, 4, 8], [1, 2, 3, 5, 6, 7])
    assert places(thin_labels(video, 2, 1)) == ([0, 8], [3])


def test_pseudo_labels_outside_the_given_ones_belong_to_all_only(nowhere: Nowhere) -> None:
    video = nowhere([5, 7], [1, 6, 9])
    assert places(thin_labels(video, 1, 3))[1] == [6]
    assert places(thin_labels(video, 1, -1))[1] == [1, 6, 9]


def test_still_images_are_left_alone(nowhere: Nowhere) -> None:
    video = nowhere(range(9), stills=True)
    assert thin_labels(video, 5, 0) is video


@given(st.data())
def test_never_more_than_m_and_always_in_order(nowhere: Nowhere, data: st.DataObject) -> None:
    everywhere = st.sets(st.integers(0, 60), min_size=1, max_size=30)
    drawn, made = data.draw(everywhere), data.draw(everywhere)
    every, m = data.draw(st.integers(1, 9)), data.draw(st.integers(0, 5))
    thinned = thin_labels(nowhere(drawn, made - drawn), every, m)
    given_places, pseudo = places(thinned)
    order = [frame.position for frame in thinned.frames]
    assert order == sorted(set(order))
    assert set(given_places) <= drawn
    assert len(pseudo) <= m * max(len(given_places) - 1, 0)


@pytest.mark.parametrize(("every", "m"), [(0, 1), (1, -2)])
def test_refuses_impossible_numbers(nowhere: Nowhere, every: int, m: int) -> None:
    with pytest.raises(ConfigError, match="label_every >= 1 and pseudo_between >= -1"):
        thin_labels(nowhere([1]), every, m)
