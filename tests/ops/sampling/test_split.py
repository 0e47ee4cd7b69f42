from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.sampling.split import split_by_weight

WEIGHTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.integers(0, 1000), max_size=30)


def test_the_heaviest_goes_to_the_lightest() -> None:
    assert split_by_weight({"a": 5, "b": 9, "c": 4, "d": 1}, 2) == [["b", "d"], ["a", "c"]]


def test_pieces_without_weight_are_spread_and_parts_may_be_empty() -> None:
    assert split_by_weight({"a": 0, "b": 0}, 3) == [["a"], ["b"], []]


@given(WEIGHTS, st.integers(1, 9))
def test_every_piece_is_in_one_part(weights: dict[str, int], parts: int) -> None:
    division = split_by_weight(weights, parts)
    assert len(division) == parts
    assert sorted(name for part in division for name in part) == sorted(weights)


@given(WEIGHTS, st.integers(1, 9), st.randoms())
def test_the_order_does_not_matter(weights: dict[str, int], parts: int, chance: object) -> None:
    names = list(weights)
    chance.shuffle(names)  # type: ignore[attr-defined]
    assert split_by_weight({name: weights[name] for name in names}, parts) == split_by_weight(weights, parts)


@given(WEIGHTS, st.integers(1, 9))
def test_parts_differ_by_no_more_than_one_piece(weights: dict[str, int], parts: int) -> None:
    """Whoever got a piece last had no more than anybody else before."""
    division = split_by_weight(weights, parts)
    loads = [sum(weights[name] for name in part) for part in division]
    for part, load in zip(division, loads, strict=True):
        if part:
            assert load - min(weights[name] for name in part) <= min(loads)
