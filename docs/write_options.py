"""Write what is made of the options: docs/options.md, configs/*.yaml and the types of the Python functions.

    python docs/write_options.py            # make options

An option is declared once, at its field in vsodtool/config/. A file of configs/ keeps the comment at its top
and the values that it states; what it says of each option comes from the declaration, and an option that it
does not know yet gets its default. tests/docs/test_options.py fails as long as this has to be run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from vsodtool import config
from vsodtool.config import CommonConfig, Option, options_of

ROOT = Path(__file__).resolve().parent.parent
COMMANDS: dict[str, type[CommonConfig]] = {
    "pseudolabel": config.PseudoLabelConfig,
    "train": config.TrainConfig,
    "predict": config.PredictConfig,
    "evaluate": config.EvaluateConfig,
    "flow": config.FlowConfig,
    "convert": config.ConvertConfig,
    "suggest": config.SuggestConfig,
    "review": config.ReviewConfig,
    "demo": config.DemoConfig,
}
FUNCTIONS = ("evaluate", "flow", "predict", "pseudolabel", "suggest", "train")
COLUMN = 26  # where the comments of a file begin
WIDTH = 110
# How options whose value is the path of something are called.
PATHS = (
    "INPUT",
    "MASKS",
    "OUT",
    "RUN",
    "SOURCE",
    "FILE",
    "NAME|FILE",
    "DIR",
    "GT",
    "PREDICTIONS... GROUND_TRUTH",
)


def written() -> dict[Path, str]:
    """Path -> what should stand there, for every file that is made of the options."""
    files = {ROOT / "docs" / "options.md": options_page(), ROOT / "vsodtool" / "__init__.pyi": stub()}
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        command = path.stem.split("-")[0]
        if command in COMMANDS:
            files[path] = yaml_file(COMMANDS[command], path.read_text(encoding="utf-8"))
    return files


def options_page() -> str:
    """docs/options.md."""
    parts = [OPTIONS_PAGE]
    for command, cls in COMMANDS.items():
        parts.append(f"## `vsodtool {command}`\n\n| option | default | |\n|---|---|---|\n")
        for panel, options in groupby(options_of(cls).values(), key=lambda option: option.panel):
            parts.append(f"| **{panel}** | | |\n")
            parts += [
                f"| {_cell(_flags(option))} | {_default(option)} | {_cell(_about_with_key(option))} |\n"
                for option in options
            ]
        parts.append("\n")
    return "".join(parts).rstrip() + "\n"


def yaml_file(cls: type[CommonConfig], text: str) -> str:
    """A file of configs/ as it should be.

    Args:
        cls: the configuration that it is of.
        text: what it is now.
    """
    header, _, _ = text.partition("\n\n")
    stated: Mapping[str, Any] = yaml.safe_load(text) or {}
    lines = [header]
    for _, options in groupby(options_of(cls).values(), key=lambda option: option.panel):
        lines.append("")
        for option in options:
            value = stated.get(option.name, option.default)
            if value in (None, ()) or isinstance(value, Path):
                lines += _commented(
                    f"# {option.name}: {f'[{option.metavar}]' if option.is_list else option.metavar}", option
                )
            else:
                lines += _commented(f"{option.name}: {_scalar(value)}", option)
    return "\n".join(lines) + "\n"


def stub() -> str:
    """vsodtool/__init__.pyi: the functions with their options, for editors and type checkers."""
    parts = [STUB]
    for name in FUNCTIONS:
        cls = COMMANDS[name]
        report = cls.__name__.replace("Config", "Report")
        parts.append(
            f"\n@overload\n"
            f"def {name}(config: {cls.__name__}, /, *, on_event: OnEvent = ...) -> {report}: ...\n"
        )
        parts.append(f"@overload\ndef {name}(\n    *,\n")
        options = sorted(options_of(cls).values(), key=lambda option: option.default is not None)
        parts += [
            f"    {option.name}: {_annotation(option)}{' = ...' if option.default is not None else ''},\n"
            for option in options
        ]
        parts.append(f"    on_event: OnEvent = ...,\n) -> {report}: ...\n")
    return _formatted("".join(parts))


def _formatted(stub: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "vsodtool/__init__.pyi", "-"],
        input=stub,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    ).stdout


def _flags(option: Option) -> str:
    words = [f"`{word}`" for flag in option.flags for word in flag.split("/")] or [f"`{option.metavar}`"]
    if option.kind is bool:
        words = words[:1]  # the other one is its name with no-
    if option.placeholder and not option.argument:
        words[-1] = f"{words[-1][:-1]} {option.placeholder}`"
    return ", ".join(words)


def _default(option: Option) -> str:
    if option.default is None:
        return "must be given"
    return f"`{option.default_text}`" if option.default_text else ""


def _about(option: Option) -> str:
    """The choices, and what the option says."""
    return f"{' | '.join(option.choices)}. {option.sentence}" if option.choices else option.sentence


def _about_with_key(option: Option) -> str:
    """The same for the page, which has flags: values and name of a key that is not that of its flag."""
    about = option.sentence if option.switch is not None else _about(option)
    return f"{about} {key_note(option)}".rstrip()


def key_note(option: Option) -> str:
    """The key of an option, and the values of one whose flags are values; "" where it is that of the flag."""
    words = (word for flag in option.flags for word in flag.split("/"))
    if option.name in (word.lstrip("-").replace("-", "_") for word in words):
        return ""
    values = f", {' | '.join(option.choices)}" if option.switch is not None else ""
    return f"Key: `{option.name}`{values}."


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")


def _commented(line: str, option: Option) -> list[str]:
    """A line and what it is about, which goes on below where it is long."""
    first, *rest = textwrap.wrap(
        _about(option), WIDTH - COLUMN, break_long_words=False, break_on_hyphens=False
    )
    margin = " " * COLUMN
    return [f"{line:<{COLUMN - 1}} # {first}", *(f"{margin}# {more}" for more in rest)]


def _scalar(value: Any) -> str:
    """As YAML writes it."""
    if isinstance(value, str) and yaml.safe_load(value) != value:
        return json.dumps(value)
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1000).removesuffix("\n").removesuffix("\n...")


def _annotation(option: Option) -> str:
    """The type of what may be given in Python, where load_config makes a path of text, and a list of one."""
    if option.choices:
        one = f"Literal[{', '.join(repr(choice) for choice in option.choices)}]"
    elif option.kind in (int, float, bool):
        one = option.kind.__name__
    else:
        one = "int" if option.kind == tuple[int, ...] else "str | Path" if option.metavar in PATHS else "str"
    return f"{one} | Sequence[{one}]" if option.is_list else one


OPTIONS_PAGE = """\
# All options

Made of `vsodtool/config/` by `make options`; `vsodtool COMMAND --help` says the same. An option is a flag,
a key of the YAML file for `--config` (`--clip-length` is `clip_length:`; flags win over the file) and an
argument in [Python](python.md). Where the key is not called as the flag, it is named. A switch is turned off
by its name with `no-`, as `--no-overlay`. All have `--json` and `--quiet`, too.

"""

STUB = """\
# What `import vsodtool` offers, for editors and type checkers. Made of vsodtool/config by `make options`.

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, overload

from vsodtool.config import EvaluateConfig as EvaluateConfig
from vsodtool.config import FlowConfig as FlowConfig
from vsodtool.config import PredictConfig as PredictConfig
from vsodtool.config import PseudoLabelConfig as PseudoLabelConfig
from vsodtool.config import SuggestConfig as SuggestConfig
from vsodtool.config import TrainConfig as TrainConfig
from vsodtool.config import load_config as load_config
from vsodtool.errors import ConfigError as ConfigError
from vsodtool.errors import DataError as DataError
from vsodtool.errors import DeviceError as DeviceError
from vsodtool.errors import UsageError as UsageError
from vsodtool.errors import VsodtoolError as VsodtoolError
from vsodtool.errors import WeightsError as WeightsError
from vsodtool.pipelines.flow import FlowReport as FlowReport
from vsodtool.pipelines.predict import PredictReport as PredictReport
from vsodtool.pipelines.pseudolabel import PseudoLabelReport as PseudoLabelReport
from vsodtool.pipelines.scoring.report import EvaluateReport as EvaluateReport
from vsodtool.pipelines.suggest import SuggestReport as SuggestReport
from vsodtool.pipelines.train import TrainReport as TrainReport
from vsodtool.types import Event as Event
from vsodtool.types import OnEvent as OnEvent

__version__: str
"""


def main() -> None:
    """Write what is not as it should be."""
    for path, text in written().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
