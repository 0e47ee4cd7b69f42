"""Where an object is, in cases whose answer is known."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from vsodtool.ops.labels.tracking import (
    AREA,
    CELL,
    Looks,
    are_rivals,
    doubted_share,
    expected_between,
    expected_j,
    found_share,
    moments_of,
    neighbourhood,
    notice,
    own_salience,
    picture_size,
    rivals_of,
    shares_of,
    standardised,
    tracked_odds,
    tracker_share,
    votes,
    with_rivals,
    within_reach,
)


@given(st.integers(16, 4000), st.integers(16, 4000))
def test_a_picture_is_of_whole_cells_and_of_one_area_unless_very_long(height: int, width: int) -> None:
    size = picture_size((height, width))
    assert all(side % CELL == 0 and side >= 4 * CELL for side in size)
    if max(height, width) <= 4 * min(height, width):
        assert size[0] * size[1] == pytest.approx(AREA, rel=0.1)
        assert size[1] / size[0] == pytest.approx(width / height, rel=0.1)


def test_the_picture_of_davis_frames() -> None:
    assert picture_size((480, 854)) == (384, 672)  # what the weights of the votes were chosen on


def test_features_are_of_unit_length_and_centred() -> None:
    generator = torch.Generator().manual_seed(0)
    frames = [
        (torch.rand(1, 3, 4, 5, generator=generator) * 9 + 5, torch.rand(1, 2, 4, 5, generator=generator))
        for _ in range(3)
    ]
    mean, deviation = moments_of(frames)
    stacked = torch.cat([torch.cat(parts, dim=1) for parts in frames]).transpose(0, 1).flatten(1)
    torch.testing.assert_close(mean, stacked.mean(dim=1))
    torch.testing.assert_close(deviation, stacked.std(dim=1))
    features = standardised(frames[0], (mean, deviation))
    torch.testing.assert_close(features.square().sum(dim=0), torch.ones(4, 5))
    torch.testing.assert_close(features[:3].square().sum(dim=0), torch.full((4, 5), 0.36))


def one_hot(kinds: list[int]) -> Tensor:
    return functional.one_hot(torch.tensor(kinds), 4).float().t()  # (C, N)


def test_cells_that_look_like_the_object_are_voted_for() -> None:
    known = Looks(one_hot([0, 0, 0, 1, 1, 1, 2, 2]), torch.tensor([1.0, 1, 1, 0, 0, 0, 0, 0]))
    features = one_hot([0, 1, 2, 3]).view(4, 2, 2)
    odds = votes(features, known)
    assert odds.flatten().tolist() == [3, -3, -3, 0]  # what was never seen has no vote


def test_only_near_cells_vote_if_asked() -> None:
    known = Looks(one_hot([0, 0, 0, 1, 1, 1]), torch.tensor([1.0, 1, 1, 0, 0, 0]))
    features = one_hot([0, 0]).view(4, 1, 2)
    near = torch.tensor([[True] * 6, [False] * 3 + [True] * 3]).t()
    assert votes(features, known, near=near).flatten().tolist() == [3, -3]


@pytest.mark.parametrize("share", [0.0, 0.02, 1.0])
def test_objects_smaller_than_cells_and_larger_than_all_cells(share: float) -> None:
    known = Looks(one_hot([0, 1, 1, 1, 1]), torch.tensor([max(share, 0.01), share, share, share, share]))
    odds = votes(one_hot([0, 1]).view(4, 1, 2), known)
    assert bool(odds.isfinite().all())
    assert float(odds.abs().max()) <= 3


def test_neighbours_are_within_a_circle() -> None:
    near = neighbourhood((3, 40), torch.device("cpu")).view(3, 40, 3, 40)
    assert bool(near[0, 0, 0, 12])
    assert not bool(near[0, 0, 0, 13])
    assert not bool(near[0, 0, 1, 12])
    assert bool((near == near.permute(2, 3, 0, 1)).all())


def test_shares_are_means_over_cells() -> None:
    label = torch.zeros(1, 1, 4, 8)
    label[..., :2, :4] = 1
    assert shares_of(label).tolist() == [0.5, 0]


def test_motion_carries_a_label_and_looks_find_it_elsewhere() -> None:
    before = torch.zeros(1, 1, 8, 16)
    before[..., 0:4, 0:4] = 1
    back = torch.zeros(1, 2, 8, 16)
    back[:, 0] = -4  # it moved four to the right
    nothing, unsure = torch.zeros(1, 1, 2, 4), torch.full((1, 1, 8, 16), 0.5)
    carried = tracked_odds(before, back, nothing, nothing, unsure)
    assert float(carried[0, 0, 1, 5]) > 0 > float(carried[0, 0, 1, 12])
    seen = torch.full((1, 1, 2, 4), -3.0)
    seen[..., 1, 3] = 3  # it looks as if it were somewhere else, and that is salient
    salient = torch.zeros(1, 1, 8, 16)
    salient[..., 4:, 12:] = 1
    found = tracked_odds(before, back, seen, seen, salient)
    assert float(found[0, 0, 6, 14]) > 0 > float(found[0, 0, 1, 5])


def test_what_is_salient_speaks_of_an_object_that_it_overlaps() -> None:
    label, salient, nothing = torch.zeros(4, 8), torch.zeros(4, 8), torch.zeros(4, 8)
    label[:, :4] = 1
    assert notice(label, nothing, nothing) == 0  # nothing is salient
    assert notice(label, nothing, 1 - label) == 0  # something else is
    assert notice(label, nothing, label) == 1
    salient[:, 3:] = 1
    assert notice(label, nothing, salient) == pytest.approx((4 / 32 - 0.1) / 0.3)
    assert notice(label, 1 - label, salient) == pytest.approx(
        (4 / 16 - 0.1) / 0.3
    )  # what it is else is labelled
    assert notice(nothing, nothing, nothing) == 0


def test_rivals_are_salient_cells_that_are_not_the_object() -> None:
    label, salient = torch.zeros(1, 1, 4, 12), torch.zeros(1, 1, 4, 12)
    label[..., :4], salient[..., :8] = 1, 1
    assert rivals_of(label, salient).tolist() == [False, True, False]
    label[..., 4] = 1  # a quarter of that cell is the object
    assert not bool(rivals_of(label, salient).any())


@pytest.mark.parametrize(
    ("own", "rivals", "some"), [(1, 2, False), (1, 3, True), (40, 3, False), (40, 4, True)]
)
def test_a_few_cells_at_its_border_are_no_rivals(own: int, rivals: int, some: bool) -> None:
    shares_there = torch.cat((torch.ones(own), torch.zeros(rivals + 9)))
    there = torch.arange(len(shares_there)).sub(own).ge(0) & torch.arange(len(shares_there)).lt(own + rivals)
    assert are_rivals(shares_there, there) == some


def test_an_object_is_told_from_its_rivals_alone() -> None:
    known = Looks(one_hot([0] * 3 + [1] * 3 + [2] * 9), torch.tensor([1.0] * 3 + [0.0] * 12))
    told = with_rivals(known, torch.tensor([False] * 3 + [True] * 3 + [False] * 9))
    assert told.shares.tolist() == [1, 1, 1, 0, 0, 0]
    odds = votes(one_hot([0, 1, 2, 3]).view(4, 2, 2), told)
    assert odds.flatten().tolist() == [3, -3, 0, 0]  # what is neither has no vote


def test_what_is_salient_speaks_against_an_object_where_it_looks_like_a_rival() -> None:
    salient = torch.tensor([0.9, 0.9, 0.9, 0.1, 0.1]).view(1, 1, 1, 5)
    rivalry = torch.tensor([3.0, 0, -3, 3, -3]).view(1, 1, 1, 5)
    own = own_salience(salient, rivalry).flatten()
    torch.testing.assert_close(own, torch.tensor([0.9, 0.5, 0.1, 0.1, 0.1]), atol=0.002, rtol=0)


def test_looks_against_rivals_count() -> None:
    before, back, nothing = torch.full((1, 1, 4, 4), 0.5), torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 1, 1)
    odds = tracked_odds(before, back, nothing, nothing, before, rivalry=torch.full((1, 1, 1, 1), 3.0))
    torch.testing.assert_close(odds, torch.full((1, 1, 4, 4), 0.9))


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 500))
def test_the_share_of_the_tracker_grows_with_distance_and_falls_with_agreement(
    agreement: float, other: float, distance: int
) -> None:
    share = tracker_share(agreement, distance, reach=5)
    assert 0 <= share <= 1
    assert tracker_share(agreement, distance + 1, reach=5) >= share
    low, high = sorted((agreement, other))
    assert tracker_share(low, distance, reach=5) >= tracker_share(high, distance, reach=5)


@pytest.mark.parametrize(
    ("agreement", "distance", "share"),
    [(1.0, 5, 0.0), (1.0, 15, 0.25), (1.0, 25, 0.5), (1.0, 90, 0.5), (0.2, 6, 1.0), (0.5, 5, 0.5)],
)
def test_shares_of_the_tracker(agreement: float, distance: int, share: float) -> None:
    assert tracker_share(agreement, distance, reach=5) == pytest.approx(share)


def test_reach_is_three_quarters_of_the_size_around_what_is_possible() -> None:
    found = torch.zeros(40, 40)
    found[10:18, 10:18] = 1  # of size 8
    found[30, 30] = 0.4  # possible, but not the object
    reach = within_reach(found)
    assert reach[4:24, 4:24].all()
    assert reach[24:37, 24:37].all()
    assert int(reach.sum()) == 20 * 20 + 13 * 13
    assert not within_reach(torch.zeros(4, 4)).any()


@pytest.mark.parametrize(
    ("carried", "found", "share"),
    [
        (0.9, 1.0, 0.0),  # sure
        (0.7, 0.8, 0.5),
        (0.7, 0.55, 0.25),
        (0.7, 0.4, 0.0),  # the tracker has less to say
        (0.5, 0.9, 1.0),
        (0.2, 0.2, 1.0),
    ],
)
def test_between_masks_the_tracker_joins_in_where_what_was_carried_is_unsure(
    carried: float, found: float, share: float
) -> None:
    assert found_share(carried, found) == pytest.approx(share)


@given(st.floats(0, 1), st.floats(0, 1))
def test_no_more_than_what_is_doubted_is_the_trackers(carried: float, found: float) -> None:
    assert found_share(carried, found) <= doubted_share(carried)
    assert found_share(carried, carried) == doubted_share(carried)


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_expected_j_is_one(agreement: float, with_salient: float) -> None:
    assert 0 < expected_j(agreement, with_salient) < 1


@pytest.mark.parametrize(
    ("met", "reached", "expected"), [(0.81, 0.9, 0.72), (0.81, 0.6, 0.6), (1.0, 1.0, 0.8), (None, 0.9, 0.91)]
)
def test_what_is_found_between_masks_is_no_better_than_at_the_other_mask(
    met: float | None, reached: float, expected: float
) -> None:
    assert expected_between(0.8, met, reached, carried=0.3) == pytest.approx(expected)
