from __future__ import annotations

import os
import re
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.damage import Damage, damages
from vsodtool.config import DemoConfig, FlowConfig, PseudoLabelConfig, TrainConfig, load_config, shipped_path
from vsodtool.errors import ConfigError

GIVEN: dict[str, object] = {"inputs": ("a.mp4",), "output": Path("out")}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my config ü.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path: Path, text: str, cls: type = FlowConfig) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(cls, write(tmp_path, text), GIVEN)
    assert caught.value.exit_code == 2
    return caught.value


def test_flags_win_over_the_file_and_none_means_not_given(tmp_path: Path) -> None:
    path = write(tmp_path, "step: 3\nbackend: dis\npreview: true\n")
    config = load_config(FlowConfig, path, {**GIVEN, "step": 2, "backend": None, "preview": None})
    assert (config.step, config.backend, config.preview) == (2, "dis", True)


def test_a_false_flag_wins_over_true_in_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "preview: true\n")
    assert not load_config(FlowConfig, path, {**GIVEN, "preview": False}).preview


def test_inputs_and_paths_come_from_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "inputs: [a.mp4, 'b c']\nmasks: m\noutput: out\n")
    config = load_config(PseudoLabelConfig, path, {})
    assert config.inputs == ("a.mp4", "b c")
    assert config.masks == ("m",)
    assert load_config(FlowConfig, write(tmp_path, "inputs: a.mp4\noutput: o\n"), {}).inputs == ("a.mp4",)


def test_without_a_file_the_defaults_hold() -> None:
    assert load_config(DemoConfig, None, {}) == DemoConfig()


def test_an_empty_file_is_no_change(tmp_path: Path) -> None:
    assert load_config(DemoConfig, write(tmp_path, "# nothing\n"), {}) == DemoConfig()


def test_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    error = refusal(tmp_path, "qualty: best\n")
    assert "unknown option 'qualty'" in error.message
    assert "my config ü.yaml" in error.message
    assert error.hint == "did you mean 'quality'?"
    assert refusal(tmp_path, "dry-run: true\n").hint == "did you mean 'dry_run'?"


def test_unknown_key_far_from_all_lists_them(tmp_path: Path) -> None:
    assert "quality" in refusal(tmp_path, "zzzzzz: 1\n").hint
    assert "unknown option '3'" in refusal(tmp_path, "3: 1\n").message


def test_unknown_override_is_refused() -> None:
    with pytest.raises(ConfigError, match="unknown option 'stap'"):
        load_config(FlowConfig, None, {**GIVEN, "stap": 1})


def test_duplicate_key_names_both_lines(tmp_path: Path) -> None:
    error = refusal(tmp_path, "step: 1\n# c\nstep: 2\n")
    assert "line 3" in error.message
    assert "'step' is given twice (first in line 1)" in error.message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("step: two\n", "step: expected a whole number, found 'two' (text)"),
        ("step: 1.0\n", "step: expected a whole number, found 1.0 (a number)"),
        ("step: true\n", "step: expected a whole number, found True"),
        ("preview: 1\n", "preview: expected true or false, found 1"),
        ("backend: no\n", "backend: expected text, found False"),
        ("output: 3\n", "output: expected a path, found 3"),
        ("inputs: [1, 2]\n", "inputs: expected a list of texts, found [1, 2]"),
        ("step:\n", "step: expected a whole number, found nothing"),
        ("step: {a: 1}\n", "step: expected a whole number"),
        ("[1, 2]\n", "expected `option: value` lines, found a list"),
        ("just words\n", "expected `option: value` lines, found text"),
        ("step: [1\n", "line 2"),
        ("step: \x01\n", "not YAML"),
        ("step: !!python/object:os.system {}\n", "line 1"),
        ("[a]: 1\n", "unhashable key"),
    ],
)
def test_wrong_types_and_wrong_yaml(tmp_path: Path, text: str, part: str) -> None:
    assert part in refusal(tmp_path, text).message


def test_yaml_that_turns_text_into_a_truth_value_gets_a_hint(tmp_path: Path) -> None:
    assert "quotes" in refusal(tmp_path, "backend: off\n").hint


def test_a_range_error_with_a_file_names_the_file(tmp_path: Path) -> None:
    assert "my config ü.yaml" in refusal(tmp_path, "step: 0\n").message


@pytest.mark.parametrize("missing", ["inputs", "output", "masks"])
def test_required_options(missing: str) -> None:
    given = {**GIVEN, "masks": Path("m")}
    del given[missing]
    with pytest.raises(ConfigError, match=r"no (input|output|masks) given") as caught:
        load_config(PseudoLabelConfig, None, given)
    assert f"`{missing}:`" in caught.value.hint


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(DemoConfig, tmp_path / "none.yaml", {})
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(DemoConfig, tmp_path, {})
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00step")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(DemoConfig, binary, {})


def _nested(levels: int) -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in pairwise("abcdefghijklmnop"[:levels]):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("step: 1e999", "'1e999' \\(text\\)"),
        ("step: " + "9" * 5000, "a value that cannot be read"),
        ("step: 0x" + "f" * 9000, "expected a number below 2"),
        ("0x" + "f" * 9000 + ": 1", "found|not allowed|thousands of digits"),
        ("step: 2001-99-99", "a value that cannot be read: month"),
        ("step: !!bool maybe", "a value that cannot be read"),
        ("step: !!timestamp x", "a value that cannot be read"),
        ("step: &a [*a]", "expected a whole number, found \\["),
        ("[" * 5_000, "found lists within lists"),
        (_nested(12), "unknown option 'a'"),
        (
            "backend: &a [" + "x, " * 100 + "]\nbackend2: *a",
            "found \\['x', 'x', 'x', 'x', 'x', 'x', \\.\\.\\.\\]",
        ),
        ("a: &a {x: 1}\nstep: {<<: [*a, *a]}", "merge keys are not read"),
        ("x" * 100_001, "expected at most 100000 bytes"),
    ],
)
def test_absurd_values_are_one_line(tmp_path: Path, text: str, found: str) -> None:
    error = refusal(tmp_path, text)
    assert re.search(found, error.message)
    assert "\n" not in error.message
    assert len(error.message) < 600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(ConfigError, match=r"pipe\.yaml: expected a file, found a named pipe"):
        load_config(FlowConfig, tmp_path / "pipe.yaml", GIVEN)
    with pytest.raises(ConfigError, match="expected a file, found a device"):
        load_config(FlowConfig, Path("/dev/zero"), GIVEN)


@settings(max_examples=20, deadline=None)
@given(damage=damages())
def test_a_damaged_file_is_read_or_refused(damage: Damage, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("yaml") / "c.yaml"
    path.write_bytes(damage.of(shipped_path("configs/train-densifier.yaml").read_bytes()))
    with suppress(ConfigError):
        load_config(TrainConfig, path, {"data": ("d",), "output": Path("o")})
