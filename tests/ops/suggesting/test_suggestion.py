"""The rule: its arithmetic against plain sums, where it puts labels, and what it never suggests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.suggesting.reach import Stretch, reaches, stretches
from vsodtool.ops.suggesting.suggestion import KnownVideo, estimate, gains, suggest

DOUBTS = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def video(frames: int, labels: Sequence[int], doubt: float = 0.5, **known: object) -> KnownVideo:
    confidence = np.full(frames, 1 - doubt)
    confidence[list(labels)] = 1
    return KnownVideo(frames, labels, confidence, **known)  # type: ignore[arg-type]


def chosen(videos: Sequence[KnownVideo], count: int) -> list[tuple[int, int]]:
    return [(each.video, each.frame) for each in suggest(videos, count)]


@given(DOUBTS, st.booleans(), st.booleans())
def test_gains_are_the_plain_sums(weights: list[float], before: bool, after: bool) -> None:
    count = len(weights)
    labels = [-1] * before + [count] * after
    shifted = [label + 1 for label in labels]  # frame 0 and frame count + 1 hold the labels

    def error(given_frames: list[int]) -> float:
        far = reaches(sorted(given_frames), count + 2, () if before else (1,))[1 : count + 1]
        if not after:
            far = reaches(sorted(given_frames), count + 2, (1, count + 1)[before:])[1 : count + 1]
        return float(np.array(weights) @ far)

    expected = [error(shifted) - error([*shifted, frame + 1]) for frame in range(count)]
    found = gains(np.array(weights), Stretch(0, count, before, after))
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(DOUBTS, st.booleans(), st.booleans())
def test_no_label_does_harm(weights: list[float], before: bool, after: bool) -> None:
    found = gains(np.array(weights), Stretch(0, len(weights), before, after))
    assert np.all(found >= 0)
    assert np.all(found <= sum(weights) * len(weights) * (1 + 1e-12))  # sums are rounded


def test_equal_doubt_takes_the_middle_of_the_longest_gap() -> None:
    assert chosen([video(41, [0, 10, 30, 40])], 1) == [(0, 20)]


def test_a_batch_of_equal_doubt_is_evenly_spaced() -> None:
    frames = sorted(frame for _, frame in chosen([video(101, [0, 100])], 3))
    assert frames == [25, 50, 75]


def test_ends_are_worth_more_than_gaps_of_their_length() -> None:
    """The tails are filled from one side; with all labels spread, a third of a gap is left at the ends."""
    known = video(122, [60])
    labels = sorted([60, *(frame for _, frame in chosen([known], 3))])
    assert labels[0] > 5
    assert labels[-1] < 116


def test_doubt_draws_the_label() -> None:
    confidence = np.full(41, 0.9)
    confidence[[0, 40]] = 1
    confidence[28:35] = 0.2
    (frame,) = [each.frame for each in suggest([KnownVideo(41, [0, 40], confidence)], 1)]
    assert 24 < frame < 35


def test_a_video_whose_hidden_labels_came_back_badly_goes_first() -> None:
    good = video(41, [0, 20, 40], errors={20: {1: 0.02}})
    bad = video(41, [0, 20, 40], errors={20: {1: 0.4}})
    assert [number for number, _ in chosen([good, bad], 2)] == [1, 1]


def test_without_hidden_labels_all_videos_are_measured_alike() -> None:
    short, long = video(21, [0, 20]), video(201, [0, 200])
    assert chosen([short, long], 1) == [(1, 100)]


def test_a_video_without_hidden_labels_is_taken_for_a_usual_one() -> None:
    known = video(61, [0, 30, 60], errors={30: {1: 0.3}})
    unknown = video(61, [0, 60])
    assert chosen([known, unknown], 1) == [(1, 30)]
    assert chosen([known, video(21, [0, 20])], 1)[0][0] == 0


def test_the_worst_object_is_named() -> None:
    known = video(41, [0, 20, 40], errors={20: {1: 0.1, 7: 0.3}})
    assert [each.object for each in suggest([known], 2)] == [7, 7]
    assert suggest([video(41, [0, 40])], 1)[0].object is None


def test_never_a_given_frame_its_neighbour_or_one_that_did_not_decode() -> None:
    labels, unusable = [0, 2, 4, 8], frozenset({6})
    assert chosen([video(9, labels, unusable=unusable)], 9) == []
    assert chosen([video(9, labels)], 9) == [(0, 6)]


@given(
    st.sets(st.integers(0, 59), min_size=1, max_size=8),
    st.sets(st.integers(1, 59), max_size=3),
    st.sets(st.integers(0, 59), max_size=5),
    st.integers(0, 12),
)
def test_what_holds_of_every_batch(labels: set[int], cuts: set[int], lost: set[int], count: int) -> None:
    known = video(60, sorted(labels), unusable=frozenset(lost - labels), cuts=sorted(cuts))
    found = suggest([known, known], count)
    assert len(found) <= count
    for number in (0, 1):
        frames = [each.frame for each in found if each.video == number]
        assert len(set(frames)) == len(frames)
        given_frames = set(labels)
        for frame in frames:
            assert frame not in given_frames | lost
            beside = {near for near in (frame - 1, frame + 1) if near in given_frames}
            assert all(max(near, frame) in cuts for near in beside)
            given_frames.add(frame)
    assert suggest([known, known], count) == found
    assert suggest([known, known], count + 1)[: len(found)] == found


def test_a_shot_without_a_label_comes_first() -> None:
    known = video(100, [10, 20], doubt=0.9, cuts=[30, 36])
    frames = [frame for _, frame in chosen([known], 3)]
    assert set(frames[:2]) == {68, 33} or (30 <= min(frames[:2]) < 36 <= max(frames[:2]))


def test_gains_add_up_to_what_the_batch_takes_away() -> None:
    known = video(60, [10, 40])
    picks = suggest([known], 6)
    far = reaches(known.labels, 60)
    less = reaches([*known.labels, *(each.frame for each in picks)], 60)
    assert sum(each.gain for each in picks) == pytest.approx(float((far - less).sum()) / 60 * 0.5)


@pytest.mark.parametrize("errors", [{}, {20: {}}])
def test_no_estimate_without_a_hidden_label(errors: Mapping[int, Mapping[int, float]]) -> None:
    assert estimate([video(41, [0, 20, 40], errors=errors)]) is None


def test_the_estimate_by_hand() -> None:
    # Hidden, 2 has the reach 1 between 0 and 4; so q is .4, and the four frames between have a reach of 1/2.
    known = video(6, [0, 2, 4], errors={2: {1: 0.4}}, unusable=frozenset({5}))
    assert estimate([known]) == pytest.approx((3 + 2 * (1 - 0.4 * 0.5)) / 5)
    assert len(stretches([0, 2, 4], 6)) == 3
    nothing_left = [*suggest([video(41, [0, 40])], 1)]
    more = video(41, [0, 20, 40], errors={20: {1: 0.3}})
    assert estimate([more], nothing_left) == estimate([more])
    assert (estimate([more], suggest([more], 2)) or 0) > (estimate([more]) or 1)


@given(
    st.sets(st.integers(0, 39), min_size=3, max_size=9),
    st.sets(st.integers(1, 39), max_size=3),
)
def test_rates_are_errors_by_the_reach_without_the_label(labels: set[int], cuts: set[int]) -> None:
    ordered, walls = sorted(labels), sorted(cuts)
    known = video(40, ordered, cuts=walls, errors={label: {1: 0.5} for label in ordered})
    for hidden in ordered:
        others = [label for label in ordered if label != hidden]
        (stretch,) = [run for run in stretches(others, 40, walls) if run.start <= hidden < run.stop]
        far = stretch.reach()[hidden - stretch.start] if stretch.before or stretch.after else 40
        assert known.rates[hidden][1] == pytest.approx(0.5 / far)
