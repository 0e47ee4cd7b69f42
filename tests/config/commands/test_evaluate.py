"""What the options of `evaluate` and its protocols make together."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from vsodtool.config import EvaluateConfig, load_config
from vsodtool.config.measures import MEASURE_NAMES
from vsodtool.config.protocols import PROTOCOLS
from vsodtool.errors import ConfigError


def make(**values: object) -> EvaluateConfig:
    return EvaluateConfig(**{"predictions": ("p", "gt"), **values})  # type: ignore[arg-type]


def test_the_last_folder_is_the_truth_unless_it_is_named() -> None:
    assert (make().methods, make().truth) == ((Path("p"),), Path("gt"))
    several = make(predictions=("a", "b", "c"), ground_truth="gt")
    assert (several.methods, several.truth) == ((Path("a"), Path("b"), Path("c")), Path("gt"))


@pytest.mark.parametrize(
    ("predictions", "part"),
    [
        ((), "no predictions given"),
        (("p",), "no ground truth"),
        (("a", "b", "c"), "which of them holds the truth"),
    ],
)
def test_inputs_that_are_not_clear(predictions: tuple[str, ...], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        make(predictions=predictions)


@pytest.mark.parametrize(
    ("protocol", "ends", "average", "f_measure", "normalize"),
    [
        ("davsod", "drop", "video", "frame-curves", "min-max"),
        ("pysod", "keep", "frame", "frame-curves", "min-max"),
        ("toolbox", "keep", "frame", "mean-precision-recall", "min-max"),
        ("davis", "drop", "video", "frame-curves", "none"),
    ],
)
def test_the_protocols_are_those_of_the_specification(
    protocol: str, ends: str, average: str, f_measure: str, normalize: str
) -> None:
    choices = make(protocol=protocol).choices
    assert (choices.ends, choices.average, choices.f_measure, choices.normalize) == (
        ends,
        average,
        f_measure,
        normalize,
    )
    assert choices == PROTOCOLS[protocol]
    assert set(choices.measures) <= set(MEASURE_NAMES)


def test_every_choice_can_be_made_otherwise() -> None:
    other = {
        "normalize": "none",
        "ends": "keep",
        "average": "frame",
        "f_measure": "mean-precision-recall",
        "objects": "multi",
        "threshold": 0.25,
    }
    choices = make(**other).choices
    assert {key: value for key, value in asdict(choices).items() if key in other} == other


def test_measures_add_to_those_of_the_protocol_or_replace_them() -> None:
    assert make(measures=("j", "mae")).choices.measures == ("mae", "j")
    both = make(measures=("auto", "j")).choices.measures
    assert both == (*PROTOCOLS["davsod"].measures, "j")


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"protocol": "coco"}, "protocol: expected one of davsod, pysod, toolbox, davis, found 'coco'"),
        ({"normalize": "max"}, "normalize: expected one of auto, min-max, none"),
        ({"ends": "cut"}, "ends: expected one of"),
        ({"average": "all"}, "average: expected one of"),
        ({"f_measure": "best"}, "f_measure: expected one of"),
        ({"objects": "some"}, "objects: expected one of"),
        ({"measures": ("psnr",)}, "measures: expected some of mae"),
        ({"measures": ()}, "measures: expected at least one"),
        ({"threshold": 0.0}, "threshold: expected a number above 0"),
        ({"threshold": 1.5}, "threshold: expected a number above 0, at most 1, found 1.5"),
        ({"threshold": float("nan")}, "threshold: expected"),
        ({"every": -1}, "every: expected a whole number of at least 0"),
    ],
)
def test_values_out_of_range(values: dict[str, object], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make(**values)
    assert part in caught.value.message


def test_a_number_may_be_whole_but_not_text(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("predictions: [p, gt]\nthreshold: 1\n")
    assert load_config(EvaluateConfig, file, {}).threshold == 1.0
    file.write_text("predictions: [p, gt]\nthreshold: half\n")
    with pytest.raises(ConfigError, match="threshold: expected a number, found 'half'"):
        load_config(EvaluateConfig, file, {})
    file.write_text("predictions: [p, gt]\nthreshold: true\n")
    with pytest.raises(ConfigError, match="threshold: expected a number"):
        load_config(EvaluateConfig, file, {})
