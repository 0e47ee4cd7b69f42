"""What is made of the options is up to date."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import vsodtool
from vsodtool.config import DemoConfig, EvaluateConfig, FlowConfig, options_of

ROOT = Path(vsodtool.__file__).parent.parent


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_options", ROOT / "docs" / "write_options.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_options_has_nothing_to_do(writer: ModuleType) -> None:
    written: dict[Path, str] = writer.written()
    assert len(written) > 10
    stale = [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make options`"


def test_a_file_keeps_its_comment_and_its_values(writer: ModuleType) -> None:
    text = writer.yaml_file(FlowConfig, "# Mine.\n# Two lines.\n\nstep: 3\nquality: best # quick\n")
    assert text.startswith("# Mine.\n# Two lines.\n\n# inputs: [INPUT]")
    values = yaml.safe_load(text)
    assert (values["step"], values["quality"], values["format"]) == (3, "best", "flo")
    assert set(values) == set(options_of(FlowConfig)) - {"inputs", "output"}
    assert writer.yaml_file(FlowConfig, text) == text


def test_the_table_names_keys_that_are_not_those_of_the_flag(writer: ModuleType) -> None:
    page: str = writer.options_page()
    rows = {line.split(" | ")[0]: line for line in page.splitlines() if line.startswith("| `")}
    assert "Key: `ends`, auto \\| keep \\| drop." in rows["| `--keep-ends`, `--drop-ends`"]
    assert "Key: `inputs`." in rows["| `INPUT`"]
    assert "Key: `import_`." in rows["| `--import FILE`"]
    assert "Key:" not in rows["| `--f-measure NAME`"]
    commands = writer.COMMANDS.values()
    for option in (option for cls in commands for option in options_of(cls).values()):
        words = {flag.lstrip("-").replace("-", "_") for flags in option.flags for flag in flags.split("/")}
        assert (option.name in words) == (not writer.key_note(option)), option.name


def test_a_switch_has_its_values_in_the_file(writer: ModuleType) -> None:
    assert "# auto | keep | drop. Score the first" in writer.yaml_file(
        EvaluateConfig, "# Mine.\n\nends: keep\n"
    )


def test_the_table_shows_every_option(writer: ModuleType) -> None:
    page: str = writer.options_page()
    section = page.split("## `vsodtool demo`")[1]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == len(options_of(DemoConfig))
    assert "| `-o`, `--output OUT` | `demo-out` | Folder for the clip, its labels and the picture. |" in rows
