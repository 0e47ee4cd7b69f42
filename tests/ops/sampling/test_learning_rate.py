from __future__ import annotations

import math

import pytest

from vsodtool.ops.sampling.learning_rate import learning_rate


def test_constant() -> None:
    assert {learning_rate(step, base=0.1, total=9) for step in range(9)} == {0.1}


def test_warm_up_is_linear_and_ends_at_the_base() -> None:
    rates = [learning_rate(step, base=1.0, total=9, warmup=4) for step in range(6)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]


def test_cosine_closed_form() -> None:
    rates = [learning_rate(step, base=2.0, total=10, warmup=2, schedule="cosine") for step in range(10)]
    assert rates[2] == 2.0
    assert rates[6] == pytest.approx(1.0)  # half way
    assert rates[9] == pytest.approx(1 + math.cos(math.pi * 7 / 8))
    assert rates[2:] == sorted(rates[2:], reverse=True)
