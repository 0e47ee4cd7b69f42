from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.sampling.sample_order import SampleOrder, spread, steps_per_round

SMALL = st.integers(1, 5)


@given(length=st.integers(1, 20), seed=st.integers(0, 5))
def test_every_round_holds_every_sample_once(length: int, seed: int) -> None:
    keys = itertools.chain.from_iterable(SampleOrder(length, seed).parts(range(3 * length), batch=1))
    assert sorted(keys) == [(number, index) for number in range(3) for index in range(length)]


@given(length=st.integers(1, 20), batch=SMALL, accumulate=SMALL, ranks=SMALL, steps=st.integers(1, 6))
def test_a_step_sees_the_same_samples_however_it_is_divided(
    length: int, batch: int, accumulate: int, ranks: int, steps: int
) -> None:
    order = SampleOrder(length, 1)
    whole = list(order.parts(range(steps), batch=batch * accumulate * ranks))
    shares = [
        list(order.parts(range(steps), batch=batch, accumulate=accumulate, rank=rank, ranks=ranks))
        for rank in range(ranks)
    ]
    assert all(len(share) == steps * accumulate for share in shares)
    for step in range(steps):
        divided = [
            key for part in range(accumulate) for share in shares for key in share[step * accumulate + part]
        ]
        assert divided == whole[step]


@given(length=st.integers(1, 20), batch=SMALL, first=st.integers(0, 10))
def test_a_run_may_begin_at_any_step(length: int, batch: int, first: int) -> None:
    order = SampleOrder(length, 2)
    assert (
        list(order.parts(range(first, 12), batch=batch)) == list(order.parts(range(12), batch=batch))[first:]
    )


def test_rounds_and_seeds_differ() -> None:
    orders = [tuple(SampleOrder(50, seed).permutation(number)) for seed in (0, 1) for number in (0, 1)]
    assert len(set(orders)) == 4


@pytest.mark.parametrize(("length", "per_step", "steps"), [(10, 3, 3), (10, 10, 1), (2, 8, 1)])
def test_steps_per_round(length: int, per_step: int, steps: int) -> None:
    assert steps_per_round(length, per_step) == steps


@given(length=st.integers(0, 100), wanted=st.integers(0, 120))
def test_spread_is_even(length: int, wanted: int) -> None:
    chosen = spread(length, wanted)
    if not 0 < wanted < length:
        assert chosen == list(range(length))
        return
    assert len(chosen) == wanted
    gaps = {after - before for before, after in itertools.pairwise([-chosen[0] - 1, *chosen])}
    assert all(0 <= index < length for index in chosen)
    assert max(gaps) - min(gaps) <= 1 or wanted == 1
