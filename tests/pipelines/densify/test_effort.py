from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config.methods import METHODS
from vsodtool.pipelines.densify.choosing.hidden_labels import HiddenTest, Trying
from vsodtool.pipelines.densify.effort import (
    FINISH,
    FLOW,
    MAKE,
    SIDE,
    WALK,
    Effort,
    Prices,
    of_tracking,
    to_fill,
    to_follow,
)


@pytest.mark.parametrize("method", [*sorted(METHODS.keys() - WALK.keys()), "adapted"])
@pytest.mark.parametrize("quality", FLOW)
def test_every_method_has_prices(method: str, quality: str) -> None:
    prices = Prices.of(method, quality)
    fine = "balanced" if (method, quality) == ("fgplg", "fast") else quality  # what lies between needs it
    assert prices.seen == FLOW[fine] + SIDE
    # The second label costs no flow: that is there already.
    assert prices.made_from_one == pytest.approx(prices.made + FLOW[fine])
    assert prices.interval(10, 2) == pytest.approx(10 * (prices.seen + prices.made))
    assert prices.interval(10, 1) == pytest.approx(10 * prices.made_from_one)


def test_a_hidden_label_costs_its_way_and_each_method() -> None:
    prices = Prices.of("warp", "fast")
    test = HiddenTest(10, 15, 20)
    one = prices.test(test, ["warp"])
    assert one == pytest.approx(10 * FLOW["fast"] + 2 * SIDE + MAKE["warp"])
    assert prices.test(test, ["fgplg", "warp"]) > one
    smoothed = prices.test(replace(test, trying=Trying.SMOOTHED), ["warp"])
    assert smoothed == pytest.approx(10 * FLOW["fast"] + 5 * (2 * SIDE + MAKE["warp"]))
    near = prices.test(HiddenTest(4, 5, 7, Trying.AGAIN), ["warp"])  # there are two frames between
    assert near == pytest.approx(3 * FLOW["fast"] + 2 * (2 * SIDE + MAKE["warp"]))


@pytest.mark.parametrize("method", WALK)
def test_a_method_that_walks_goes_from_each_label_once(method: str) -> None:
    assert METHODS[method].uses_flow is False
    prices = Prices.of(method, "fast")
    assert prices.interval(10, 2) == pytest.approx(20 * WALK[method] + 10 * FINISH)
    assert prices.interval(10, 1) == pytest.approx(10 * WALK[method] + 10 * FINISH)
    test = HiddenTest(10, 15, 20)
    assert prices.test(test, [method]) == pytest.approx(10 * WALK[method])
    beside = Prices.of("warp", "fast")
    both = beside.test(test, ["warp", method])
    assert both == pytest.approx(10 * WALK[method] + beside.test(test, ["warp"]))


@given(st.sets(st.integers(0, 50), min_size=1), st.sets(st.integers(0, 50)))
def test_frames_lie_between_labels_or_beside(labels: set[int], missing: set[int]) -> None:
    labelled, targets = sorted(labels), sorted(missing - labels)
    between, beside = to_fill(labelled, targets)
    assert between + beside == len(targets)
    assert beside == sum(index < labelled[0] or index > labelled[-1] for index in targets)


def test_only_intervals_that_go_far_are_followed() -> None:
    labelled = [4, 10, 30]
    missing = [index for index in range(38) if index not in labelled]
    # 4 before, 5 between 4 and 10: near; 19 between 10 and 30, 7 after 30: some of them are far.
    assert to_follow(labelled, missing, 5) == (19, 7)
    assert to_follow(labelled, missing, 10) == (0, 0)
    assert to_follow([9], list(range(9)), 5) == (0, 9)


@given(st.sets(st.integers(0, 50), min_size=1), st.sets(st.integers(0, 50)))
def test_what_is_followed_is_some_of_what_is_filled(labels: set[int], missing: set[int]) -> None:
    labelled, targets = sorted(labels), sorted(missing - labels)
    between, beside = to_fill(labelled, targets)
    followed = to_follow(labelled, targets, 5)
    assert followed[0] <= between
    assert followed[1] <= beside
    assert to_follow(labelled, targets, 0) == (between, beside)


def test_a_share_of_what_is_planned() -> None:
    effort = Effort()
    assert effort.share == 0
    effort.spend(1)
    assert effort.share == 0
    effort.plan(4)
    assert effort.share == 0.25
    effort.spend(9)
    assert effort.share == 1


def test_all_that_is_missing_of_a_video() -> None:
    """Labels at 10 and 40 of 60 frames: 29 lie between them, 29 beside; 11 frames from a label is far."""
    prices = Prices.of("warp", "balanced")
    missing = [index for index in range(60) if index not in (10, 40)]
    made = prices.interval(29, 2) + prices.interval(29, 1)
    assert prices.video([10, 40], missing, None) == pytest.approx(made)
    followed = of_tracking(29, 2) + of_tracking(19, 1)  # the ten frames before the first label are near
    assert prices.video([10, 40], missing, 11) == pytest.approx(made + followed)
    assert prices.video([10, 40], missing, 30) == pytest.approx(made)
    assert prices.video([10, 40], [], 11) == 0
