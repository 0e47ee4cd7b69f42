"""The time of a frame: that of the file where it states one."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from vsodtool.pipelines.suggesting.suggestion import time_of


def test_times() -> None:
    source: Any = SimpleNamespace(times=[Fraction(0), Fraction(1, 10), Fraction(1, 3)], fps=24.0)
    assert [time_of(source, index) for index in (0, 1, 2)] == [0, 0.1, 0.333]
    assert time_of(source, 12) == 0.5
