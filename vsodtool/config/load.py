"""YAML file + command line values -> one typed configuration."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from vsodtool.checks import check_regular
from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Option, did_you_mean, options_of
from vsodtool.config.url import to_path
from vsodtool.errors import ConfigError

if TYPE_CHECKING:
    import yaml

C = TypeVar("C", bound=CommonConfig)

_LARGEST_FILE = 100_000  # bytes; those of configs/ have about 2000
_LARGEST_NUMBER = 1 << 63
_SHORT = reprlib.Repr()  # a few lines of YAML can stand for more values than there is memory
_SHORT.maxstring = _SHORT.maxother = 120

_EXPECTED: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
    tuple[str, ...]: "a list of texts",
    tuple[int, ...]: "a list of whole numbers",
}
_FOUND: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}


def load_config(cls: type[C], path: Path | None, overrides: Mapping[str, object]) -> C:
    """Build a `cls` from a YAML file and values that win over it.

    Args:
        cls: one of the configurations of this package.
        path: YAML file with a mapping of names of options to values; None for no file. Paths inside are
            relative to the working directory, as they are on the command line.
        overrides: name of an option -> value; None means "not given" and leaves the file's or the default.

    Raises:
        ConfigError: the file cannot be read or parsed, has an unknown or a duplicate key or a value of
            another type, a required option is in neither, or a value is out of range.
    """
    options = options_of(cls)
    values = _typed_values(read_options(path), options, f"{path}: ") if path is not None else {}
    given = {name: value for name, value in overrides.items() if value is not None}
    values |= _typed_values(given, options, "")
    with _in_file(path):
        for name, value in values.items():
            options[name].check(value)  # what is misspelt comes before what is missing
    for each in options.values():
        if each.default is None and each.name not in values:
            raise _missing(each)
    with _in_file(path):
        return cls(**values)


@contextmanager
def _in_file(path: Path | None) -> Iterator[None]:
    """Errors name the file, if there is one."""
    try:
        yield
    except ConfigError as error:
        if path is None:
            raise
        raise ConfigError(f"{error.message} (flags and {path} together)", error.hint) from error


def _missing(option: Option) -> ConfigError:
    word = option.metavar.lower() if option.argument else option.name
    how = "name it on the command line" if option.argument else f"pass {option.flags[-1]}"
    return ConfigError(f"no {word} given", f"{how}, or set `{option.name}:` in a file for --config")


def _typed_values(given: Mapping[Any, object], options: Mapping[str, Option], place: str) -> dict[str, Any]:
    """The values by the present names of their options, each of the option's type."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        name = _known_name(key, options, place)
        if name in values:
            raise ConfigError(
                f"{place}'{options[name].formerly}' is '{name}' by its older name, and both are given"
            )
        values[name] = _typed(name, value, options[name].kind, place)
    return values


def _known_name(key: object, options: Mapping[str, Option], place: str) -> str:
    older = {each.formerly: name for name, each in options.items() if each.formerly}
    if isinstance(key, str) and (key in options or key in older):
        return older.get(key, key)
    text = key if isinstance(key, str) else _shown(key)
    hint = did_you_mean(text.replace("-", "_"), options) or f"known options: {', '.join(sorted(options))}"
    raise ConfigError(f"{place}unknown option '{text[:120]}'", hint)


def _typed(key: str, value: object, expected: Any, place: str) -> Any:
    """The value as the option's type; nothing is converted but text to a path or a list of one, 1 to 1.0.

    YAML reads 1e-4 as text (it wants 1.0e-4): such text is taken as the number that it is meant to be.
    """
    numbers = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(number, int) and abs(number) >= _LARGEST_NUMBER for number in numbers):
        raise ConfigError(f"{place}{key}: expected a number below 2**63, found a larger one")
    if isinstance(value, PurePath):  # from Python
        value = str(value)
    if expected is Path:
        if isinstance(value, str) and value:
            return to_path(value)
    elif expected == tuple[str, ...]:
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list | tuple) and all(isinstance(item, str | PurePath) for item in items):
            texts = tuple(map(str, items))
            if all(texts):
                return texts
    elif expected == tuple[int, ...]:
        items = [value] if isinstance(value, int) else value
        if isinstance(items, list | tuple) and all(type(item) is int for item in items):
            return tuple(items)
    elif expected is float:
        number = _number(value)
        if number is not None:
            return number
    elif isinstance(value, expected) and (expected is bool or not isinstance(value, bool)):
        return value
    found = (
        "nothing" if value is None else f"{_shown(value)} ({_FOUND.get(type(value), type(value).__name__)})"
    )
    quotable = expected not in (bool, int, float) and not isinstance(value, dict) and value is not None
    hint = "put text between quotes, else YAML reads it as something else" if place and quotable else ""
    raise ConfigError(f"{place}{key}: expected {_EXPECTED[expected]}, found {found}", hint)


def _shown(value: object) -> str:
    """A value in a message: its repr, or the begin of it."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number with thousands of digits"


def _number(value: object) -> float | None:
    """The finite number that `value` is, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def read_options(path: Path) -> dict[object, object]:
    """What a YAML file of options says, unchecked.

    Raises:
        ConfigError: it cannot be read, is not YAML, no mapping, or has a key twice.
    """
    import yaml

    text = _text_of(path)
    try:
        content = yaml.load(text, Loader=_loader_without_duplicates())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    except (ValueError, OverflowError, LookupError, TypeError, AttributeError) as error:
        # What PyYAML raises at a number, a date or a truth value that there is not.
        raise ConfigError(f"{path}: a value that cannot be read: {str(error)[:120]}") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: expected `option: value` lines, found lists within lists") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path}: expected `option: value` lines, found {_FOUND.get(type(content), 'other')}"
        )
    return content


def _text_of(path: Path) -> str:
    try:
        check_regular(path)
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise ConfigError(
            f"cannot read the configuration {path}: {error.strerror}", "check --config"
        ) from error
    if len(data) > _LARGEST_FILE:
        raise ConfigError(f"{path}: expected at most {_LARGEST_FILE} bytes of options, found more")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: expected a UTF-8 text file, found other bytes at {error.start}"
        ) from error


def _loader_without_duplicates() -> type[yaml.SafeLoader]:
    """A safe loader that refuses a key given twice (plain YAML silently keeps the last), and merge keys.

    Merges of merges double what is in memory with every line.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            for key_node, _ in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    problem = "'<<' is no option: merge keys are not read"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            seen: dict[str, int] = {}
            for key_node, _ in node.value:
                key, line = str(key_node.value), key_node.start_mark.line + 1
                if key in seen:
                    problem = f"'{key}' is given twice (first in line {seen[key]})"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                seen[key] = line
            return super().construct_mapping(node, deep)

    return Loader
