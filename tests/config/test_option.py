"""What is declared at a field holds for every value, and is all there."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.config import (
    CommonConfig,
    DemoConfig,
    EvaluateConfig,
    FlowConfig,
    Panel,
    PredictConfig,
    PseudoLabelConfig,
    TrainConfig,
    options_of,
)
from vsodtool.config.option import Option, TableNames, configuration, option
from vsodtool.errors import ConfigError

ALL: list[type[CommonConfig]] = [
    FlowConfig,
    PseudoLabelConfig,
    TrainConfig,
    PredictConfig,
    EvaluateConfig,
    DemoConfig,
]


def expected(kind: Any, found: Any, **known: Any) -> str:
    """What is said of a value that is refused."""
    with pytest.raises(ConfigError) as caught:
        Option(help="", name="x", kind=kind, **known).check(found)
    return caught.value.message


@pytest.mark.parametrize("cls", ALL)
def test_every_option_is_fully_declared(cls: type[CommonConfig]) -> None:
    for name, each in options_of(cls).items():
        assert each.name == name
        assert each.help[-1] == ".", name
        assert each.kind in (str, int, float, bool, Path, tuple[str, ...], tuple[int, ...]), name
        if each.default is None:
            continue
        each.check(each.default)
        if not each.is_list:
            assert type(each.default) is (type(Path()) if each.kind is Path else each.kind), name


@pytest.mark.parametrize("cls", ALL)
def test_no_two_flags_are_the_same(cls: type[CommonConfig]) -> None:
    words = [word for each in options_of(cls).values() for flag in each.flags for word in flag.split("/")]
    former = [each.formerly for each in options_of(cls).values() if each.formerly]
    assert len({*words, *former}) == len(words) + len(former)


def test_flags_follow_from_names_and_types() -> None:
    assert options_of(FlowConfig)["output"].flags == ("-o", "--output")
    assert options_of(FlowConfig)["dry_run"].flags == ("--dry-run/--no-dry-run",)
    assert options_of(EvaluateConfig)["ends"].flags == ("--keep-ends/--drop-ends",)
    assert options_of(FlowConfig)["inputs"].flags == ()


def test_panel_by_panel_its_own_before_those_it_inherits() -> None:
    names = list(options_of(PseudoLabelConfig))
    panels = [each.panel for each in options_of(PseudoLabelConfig).values()]
    assert panels == sorted(panels, key=list(Panel).index)
    assert names[:3] == ["inputs", "masks", "output"]
    assert names.index("method") < names.index("quality")
    assert names.index("shard") < names.index("device")


def test_messages_say_what_was_expected() -> None:
    assert expected(int, 0, least=1) == "x: expected a whole number of at least 1, found 0"
    assert expected(int, -1, zero="all") == "x: expected a whole number of at least 0, found -1"
    assert expected(int, 24, zero="any", least=32, multiple_of=16) == (
        "x: expected a multiple of 16 of at least 32, or 0 for any, found 24"
    )
    assert expected(float, 1.0, above=0, below=1) == "x: expected a number above 0, below 1, found 1"
    assert expected(float, math.nan, least=0) == "x: expected a number of at least 0, found nan"
    assert expected(tuple[int, ...], (5, 1), least=2) == (
        "x: expected whole numbers of at least 2, found [5, 1]"
    )
    assert expected(str, "c", choices=("a", "b")) == "x: expected one of a, b, found 'c'"
    assert expected(str, "c", choices=("", "a", "b")) == "x: expected one of a, b, found 'c'"
    assert expected(tuple[str, ...], ("a", "c"), choices=("a", "b")) == "x: expected some of a, b, found 'c'"
    assert expected(tuple[str, ...], (), choices=("a",)) == "x: expected at least one, found none"


def test_a_choice_that_is_misspelt_is_recognized() -> None:
    with pytest.raises(ConfigError) as caught:
        FlowConfig(inputs=("a",), output=Path("o"), backend="raft_large")
    assert caught.value.hint == "did you mean 'raft-large'?"


@given(st.integers(-100, 100), st.integers(-20, 20), st.integers(-20, 20), st.integers(1, 7), st.booleans())
def test_bounds_are_those_of_arithmetic(value: int, least: int, most: int, step: int, zero: bool) -> None:
    bounded = Option(
        help="", name="x", kind=int, least=least, most=most, multiple_of=step, zero="all" if zero else ""
    )
    allowed = (least <= value <= most and value % step == 0) or (zero and value == 0)
    if allowed:
        bounded.check(value)
    else:
        with pytest.raises(ConfigError, match="x: expected a"):
            bounded.check(value)


def test_a_new_option_is_one_field() -> None:
    @configuration
    class ToyConfig(CommonConfig):
        """One more option."""

        colour: str = option("Of the sky.", default="blue", choices=("blue", "grey"))

    assert ToyConfig(colour="grey").colour == "grey"
    assert list(options_of(ToyConfig)) == ["colour", *options_of(CommonConfig)]
    assert str(ToyConfig.__doc__).startswith("One more option.\n\nAttributes:\n")
    assert "\n    workers: Threads. 0 = all cores." in str(ToyConfig.__doc__)
    assert str(ToyConfig.__doc__).endswith("\n    colour: Of the sky.")
    with pytest.raises(ConfigError, match="colour: expected one of blue, grey, found 'green'"):
        ToyConfig(colour="green")


def test_names_are_those_of_the_table_as_it_is() -> None:
    table = {"warp": 1}
    names = TableNames(lambda: ("auto", *table))
    assert (list(names), len(names), names[-1], names[1:]) == (["auto", "warp"], 2, "warp", ("warp",))
    table["sam2"] = 2
    assert "sam2" in names
    assert ", ".join(names) == "auto, warp, sam2"
