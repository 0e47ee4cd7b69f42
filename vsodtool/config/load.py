"""YAML file + command line values -> one typed configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vsodtool.checks import check_regular
from vsodtool.config.base import CommonConfig
from vsodtool.config.option import Option, did_you_mean, options_of
from vsodtool.config.typed import KINDS_FOUND, shown, typed
from vsodtool.errors import ConfigError

if TYPE_CHECKING:
    import yaml

C = TypeVar("C", bound=CommonConfig)

_LARGEST_FILE = 100_000  # bytes; those of configs/ have about 2000


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
        values[name] = typed(name, value, options[name].kind, place)
    return values


def _known_name(key: object, options: Mapping[str, Option], place: str) -> str:
    older = {each.formerly: name for name, each in options.items() if each.formerly}
    if isinstance(key, str) and (key in options or key in older):
        return older.get(key, key)
    text = key if isinstance(key, str) else shown(key)
    hint = did_you_mean(text.replace("-", "_"), options) or f"known options: {', '.join(sorted(options))}"
    raise ConfigError(f"{place}unknown option '{text[:120]}'", hint)


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
            f"{path}: expected `option: value` lines, found {KINDS_FOUND.get(type(content), 'other')}"
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
