"""Values of options from Python, YAML and the command line -> the type of their option."""

from __future__ import annotations

import math
import reprlib
from pathlib import Path, PurePath
from typing import Any

from vsodtool.config.url import to_path
from vsodtool.errors import ConfigError

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
KINDS_FOUND: dict[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
}


def typed(key: str, value: object, expected: Any, place: str = "") -> Any:
    """The value as the option's type; nothing is converted but text to a path or a list of one, 1 to 1.0.

    YAML reads 1e-4 as text (it wants 1.0e-4): such text is taken as the number that it is meant to be. A
    number of NumPy is the number of Python that it holds.

    Args:
        key: the option, for messages.
        value: what was given.
        expected: the type, one of those that `Option.kind` may be.
        place: where it was given, for messages: a file with a colon and a space, or "".

    Raises:
        ConfigError: the value is of another type.
    """
    value = _plain(value)
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
        "nothing"
        if value is None
        else f"{shown(value)} ({KINDS_FOUND.get(type(value), type(value).__name__)})"
    )
    quotable = expected not in (bool, int, float) and not isinstance(value, dict) and value is not None
    hint = "put text between quotes, else YAML reads it as something else" if place and quotable else ""
    raise ConfigError(f"{place}{key}: expected {_EXPECTED[expected]}, found {found}", hint)


def shown(value: object) -> str:
    """A value in a message: its repr, or the begin of it."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number with thousands of digits"


def _plain(value: object) -> object:
    """What a scalar of NumPy holds, also in a list; anything else as it is."""
    return [_held(item) for item in value] if isinstance(value, list | tuple) else _held(value)


def _held(value: object) -> object:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        held: object = value.item()
        return held
    return value


def _number(value: object) -> float | None:
    """The finite number that `value` is, None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
