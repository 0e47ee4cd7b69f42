"""What the table of methods says of a choice."""

from __future__ import annotations

import pytest

from vsodtool.config.methods import (
    METHOD_NAMES,
    METHODS,
    candidate_methods,
    kinds_of_weights,
    takes_weights,
    uses_flow,
)


def test_auto_stands_for_several_and_a_name_for_itself() -> None:
    assert METHOD_NAMES[0] == "auto"
    assert set(METHOD_NAMES[1:]) == set(METHODS)
    assert set(candidate_methods("auto")) == {name for name, line in METHODS.items() if line.in_auto}
    assert candidate_methods("warp") == ("warp",)


@pytest.mark.parametrize("name", METHODS)
def test_every_line_names_what_makes_it(name: str) -> None:
    module, _, function = METHODS[name].make.partition(":")
    assert module.startswith("vsodtool.pipelines.densify.")
    assert function.isidentifier()
    assert METHODS[name].summary


def test_rules_need_no_weights_and_a_tracker_no_flow() -> None:
    assert kinds_of_weights("warp") == ()
    assert not takes_weights("warp")
    assert uses_flow("warp")
    assert takes_weights("sam2")
    assert not uses_flow("sam2")
    assert uses_flow("auto")
    assert takes_weights("auto")
