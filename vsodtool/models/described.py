"""Descriptions that are stored beside weights: plain values, and back, with nothing believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

from vsodtool.errors import ConfigError

LARGEST_WIDTH = 1 << 16  # channels; a thousand times those of the largest network here


class Described:
    """Base of dataclasses of plain values (numbers, texts, tuples of numbers)."""

    what: ClassVar[str]  # named in messages

    def as_dict(self) -> dict[str, Any]:
        """In JSON types."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `as_dict`.

        Raises:
            ConfigError: a value is unknown or impossible, or there are no named values.
        """
        if not isinstance(values, Mapping):
            raise ConfigError(f"{cls.what}: expected named values, found {type(values).__name__}")
        unknown = sorted(values.keys() - {field.name for field in fields(cls)})  # type: ignore[arg-type]
        if unknown:
            raise ConfigError(f"{cls.what}: unknown value '{unknown[0][:80]}'")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


def check_width(name: str, width: object, step: int = 1) -> None:
    """Require a number of channels.

    Raises:
        ConfigError: it is no whole number, not a multiple of `step`, or out of range.
    """
    if type(width) is not int or width < 2 or width % step:
        wanted = "an even number" if step == 2 else "a whole number"
        raise ConfigError(f"architecture: {name}: expected {wanted} of at least 2, found {width!r}")
    if width > LARGEST_WIDTH:
        raise ConfigError(f"architecture: {name}: expected at most {LARGEST_WIDTH}, found {width}")


def check_choice(name: str, value: object, choices: tuple[Any, ...]) -> None:
    """Require one of some values.

    Raises:
        ConfigError: it is none of them.
    """
    if value not in choices:
        expected = f"one of {', '.join(map(str, choices))}" if len(choices) > 1 else choices[0]
        raise ConfigError(f"architecture: {name}: expected {expected}, found {value!r}")
