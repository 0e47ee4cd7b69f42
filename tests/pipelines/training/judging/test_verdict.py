"""Gains and how sure they are."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.pipelines.training.judging.verdict import Gain, Judgement, gain


def judged(*halves: float, measure: str = "s_measure") -> Judgement:
    mean = sum(halves) / len(halves)
    return Judgement({measure: mean}, {str(n): {measure: half} for n, half in enumerate(halves)})


@given(first=st.floats(-0.5, 0.5), second=st.floats(-0.5, 0.5))
def test_of_two_halves_both_have_to_agree(first: float, second: float) -> None:
    found = gain(judged(0.5, 0.5), judged(0.5 + first, 0.5 + second), "s_measure")
    assert found.value == pytest.approx((first + second) / 2, abs=1e-12)
    assert found.noise == pytest.approx(abs(first - second) / 2, abs=1e-12)
    if min(abs(first), abs(second)) > 1e-9:
        assert found.is_sure == (first > 0 and second > 0)


def test_the_noise_of_many_is_the_standard_error_of_their_mean() -> None:
    # python -c "import statistics as s; print(s.stdev([.02, .04, .0, .06]) / 2)"
    found = gain(judged(0.5, 0.5, 0.5, 0.5), judged(0.52, 0.54, 0.5, 0.56), "s_measure")
    assert found.noise == pytest.approx(0.012909944487358056)
    assert found.is_sure


def test_less_mae_is_a_gain() -> None:
    found = gain(judged(0.2, 0.3, measure="mae"), judged(0.1, 0.2, measure="mae"), "mae")
    assert found.value == pytest.approx(0.1)
    assert found.is_sure


def test_of_one_frame_nothing_is_sure() -> None:
    assert gain(judged(0.1), judged(0.9), "s_measure") == Gain(0.8, math.inf)
    assert not gain(judged(0.1), judged(0.9), "s_measure").is_sure
