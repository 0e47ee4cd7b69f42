"""The default stays unless another method is better by more than chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.pipelines.densify.choose_method import NOISE, choose_method, margin


def test_margin_is_half_the_standard_error_but_never_certain() -> None:
    assert margin([0.5]) == NOISE
    assert margin([0.1, 0.1, 0.1, 0.1]) == NOISE / 2
    assert margin([0.0, 0.2]) == pytest.approx(0.05)  # standard deviation 0.1414 / sqrt(2) / 2


@pytest.mark.parametrize(
    ("other", "default", "chosen"),
    [
        ([0.9], [0.9 - NOISE / 2], "default"),  # better, but one label may say so by chance
        ([0.9], [0.9 - 2 * NOISE], "other"),
        ([0.9, 0.9, 0.9, 0.9], [0.897, 0.897, 0.897, 0.897], "other"),  # as small, but four times
        ([0.9, 0.5], [0.85, 0.53], "default"),  # once better, once worse
        ([0.9, 0.7], [0.8, 0.55], "other"),
        ([0.5, 0.5], [0.9, 0.9], "default"),
        ([1.0, 1.0], [1.0, 1.0], "default"),
    ],
)
def test_two_methods(other: list[float], default: list[float], chosen: str) -> None:
    assert choose_method({"default": default, "other": other}, "default")[0] == chosen
    assert choose_method({"other": other, "default": default}, "default")[0] == chosen


def test_the_best_of_several() -> None:
    scores = {"a": [0.5, 0.5], "b": [0.7, 0.7], "c": [0.8, 0.8], "d": [1.0, 0.2]}
    assert choose_method(scores, "a") == ("c", "clearly better on the hidden labels")
    assert choose_method(scores, "c") == ("c", "no other method was clearly better on the hidden labels")


def test_nothing_tried() -> None:
    assert choose_method({"a": [], "b": []}, "b") == ("b", "no hidden label could be tried")


scored = st.integers(1, 6).flatmap(
    lambda count: st.lists(st.tuples(*[st.floats(0, 1)] * 2), min_size=count, max_size=count)
)


@given(scored)
def test_never_one_that_was_worse(pairs: list[tuple[float, float]]) -> None:
    default, other = (list(values) for values in zip(*pairs, strict=True))
    chosen, _ = choose_method({"default": default, "other": other}, "default")
    if chosen == "other":
        assert sum(other) - sum(default) > NOISE * len(pairs) ** 0.5 - 1e-9
    back, _ = choose_method({"default": default, "other": other}, "other")
    assert (chosen, back) != ("other", "default")
