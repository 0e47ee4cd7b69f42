from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vsodtool.ops.suggesting.least_sure import APART, least_sure


def test_a_bad_stretch_is_named_once() -> None:
    confidence = [1.0] + [0.9] * 19 + [0.5, 0.4, 0.45] + [0.8] * 20 + [0.7] + [1.0] * 6
    assert least_sure(confidence, 3) == [21, 43, 23 + 3]


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), max_size=80), st.integers(0, 8))
def test_they_are_the_lowest_and_apart(confidence: list[float], count: int) -> None:
    found = least_sure(confidence, count)
    assert len(found) == len(set(found)) <= count
    assert [confidence[index] for index in found] == sorted(confidence[index] for index in found)
    apart = max(2, len(confidence) // APART)
    for index in found:
        assert confidence[index] < 1
        assert all(other == index or abs(other - index) >= apart for other in found)
    if found:
        assert confidence[found[0]] == min(confidence)
    if len(found) < count:  # nothing is left that could be named
        left = (index for index, value in enumerate(confidence) if value < 1)
        assert all(any(abs(index - other) < apart for other in found) for index in left)
