"""Faults are told all at once: counted, the first three named."""

from __future__ import annotations

from pathlib import Path

import pytest

from vsodtool.data.sources.faults import Faults, name_some
from vsodtool.errors import DataError


def test_nothing_wrong_is_nothing_raised() -> None:
    faults = Faults()
    faults.add("mask without a frame")
    faults.raise_any("do something")
    assert len(faults) == 0
    assert not faults


def test_kinds_are_told_together_each_with_its_number() -> None:
    faults, others = Faults(), Faults()
    faults.add("mask without a frame", Path("a.png"), Path("b.png"))
    faults.add("unreadable image", "c.png: truncated")
    others.add("mask without a frame", *(f"{number}.png" for number in range(3)))
    faults.extend(others)
    assert len(faults) == 6
    with pytest.raises(DataError) as caught:
        faults.raise_any("remove them")
    assert caught.value.message == (
        "mask without a frame: 5 (a.png, b.png, 0.png, ...); unreadable image: c.png: truncated"
    )
    assert caught.value.hint == "remove them"


@pytest.mark.parametrize(
    ("subjects", "text"),
    [
        (["a"], "a"),
        (["a", "b"], "2 (a, b)"),
        (["a", "b", "c"], "3 (a, b, c)"),
        (list("abcd"), "4 (a, b, c, ...)"),
    ],
)
def test_subjects_are_named_up_to_three(subjects: list[str], text: str) -> None:
    assert name_some(subjects) == text
