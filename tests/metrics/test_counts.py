"""Counting pixels by level: against the definition, pixel by pixel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsodtool.metrics.counts import above, above_bins, adaptive_threshold, count, count_blocks, merge
from vsodtool.metrics.levels import as_levels

Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]
PAIRS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda size: st.tuples(hnp.arrays(np.uint8, size), hnp.arrays(bool, size))
)


@given(PAIRS, st.integers(0, 10), st.integers(0, 10))
def test_blocks_are_a_partition(pair: Pair, y: int, x: int) -> None:
    prediction, truth = pair
    levels = as_levels(prediction)
    whole, parts = count(levels, truth), count_blocks(levels, truth, (y, x))
    assert np.array_equal(merge(parts).inside, whole.inside)
    assert np.array_equal(merge(parts).beside, whole.beside)
    assert np.array_equal(whole.inside, np.bincount(prediction[truth], minlength=256))
    assert np.array_equal(parts[1].beside, np.bincount(prediction[:y, x:][~truth[:y, x:]], minlength=256))
    assert (whole.truth, whole.size) == (truth.sum(), truth.size)


@given(PAIRS)
def test_a_bin_is_reached_where_the_value_is(pair: Pair) -> None:
    prediction, truth = pair
    levels = as_levels(prediction)
    hits, positives = above_bins(levels, count(levels, truth))
    bins = (levels.image() * 255).astype(np.uint8)
    for k in (0, 1, 17, 128, 255):
        assert (hits[k], positives[k]) == ((bins >= k)[truth].sum(), (bins >= k).sum())


@given(PAIRS, st.floats(0, 1))
def test_one_threshold_includes_its_own_value(pair: Pair, threshold: float) -> None:
    prediction, truth = pair
    levels = as_levels(prediction, "none")
    chosen = prediction / 255 >= threshold
    assert above(levels, count(levels, truth), threshold) == (chosen[truth].sum(), chosen.sum())


@given(
    st.lists(st.sampled_from([0, 51, 102, 153, 204, 255]), min_size=1, max_size=12),
)
def test_the_adaptive_threshold_rounds_as_the_mean_over_the_pixels(values: list[int]) -> None:
    levels = as_levels(np.array([values], np.uint8))
    found = adaptive_threshold(levels, count(levels, np.zeros((1, len(values)), bool)))
    expected = min(2 * levels.image().mean(), 1)
    # no level may lie between the two, nor on one of them only
    assert np.array_equal(levels.image() >= found, levels.image() >= expected)
