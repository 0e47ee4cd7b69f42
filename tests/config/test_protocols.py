"""Every protocol is made of choices that there are."""

from __future__ import annotations

import pytest

from vsodtool.config.measures import MEASURE_NAMES
from vsodtool.config.protocols import AVERAGES, ENDS, F_MEASURES, NORMALIZATIONS, OBJECTS, PROTOCOLS


@pytest.mark.parametrize("name", PROTOCOLS)
def test_choices_are_known(name: str) -> None:
    choices = PROTOCOLS[name]
    assert set(choices.measures) <= set(MEASURE_NAMES)
    assert choices.normalize in NORMALIZATIONS
    assert choices.ends in ENDS
    assert choices.average in AVERAGES
    assert choices.f_measure in F_MEASURES
    assert choices.objects in OBJECTS
    assert choices.prefers in ("soft", "masks")
    assert 0 < choices.threshold <= 1
    assert 0 <= choices.truth_above < 255
