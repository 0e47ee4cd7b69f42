"""How an option is declared: once, at its field of a configuration.

The flags of the command line, the checks of values from wherever they come, what a shell completes, the
tables in docs/, the files in configs/ and the signatures of the Python functions are all made of it.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import MISSING, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, dataclass_transform, get_type_hints, overload

from vsodtool.config.url import is_url
from vsodtool.errors import ConfigError

C = TypeVar("C", bound=Any)
_KEY = "option"
_PLACEHOLDERS = {
    str: "TEXT",
    int: "N",
    float: "X",
    Path: "PATH",
    tuple[str, ...]: "TEXT",
    tuple[int, ...]: "N,...",
}
_OPTIONS: dict[type[Any], dict[str, Option]] = {}


class Panel(StrEnum):
    """The groups in which `--help` and the tables show the options, in their order."""

    WHERE = "Where"
    DATA = "Data"
    HOW = "How"
    NETWORK = "Network"
    CHOICES = "Choices of the protocol, one by one"
    ALLOW = "Allow"
    EXTRA = "Also write"
    ANNOTATIONS = "Annotation files"
    RUN = "The run"


@dataclass(frozen=True, kw_only=True)
class Option:
    """All that is known of an option.

    Attributes:
        help: what it says, in sentences; begins with a capital and ends with a full stop.
        panel: the group that it is shown in.
        metavar: what stands for its value; "" is what follows from the type.
        short: a flag of one letter besides, as "-o".
        argument: given by position on the command line, not by a flag.
        choices: all values that there are (of a list: that its items may have); () if they cannot be listed.
        usual: values that a shell offers although others are possible.
        switch: the two choices that are flags: ("keep", "drop") of `ends` makes --keep-ends/--drop-ends.
        zero: what 0 stands for, which is then allowed whatever `least` says.
        least: the smallest number.
        above: the number that it must be larger than.
        most: the largest number.
        below: the number that it must be smaller than.
        multiple_of: what it must be a multiple of.
        urls: URLs may stand in it.
        formerly: its older name, still understood as a flag and in files.
        name: of the field.
        kind: type of the field: str, int, float, bool, Path, tuple[str, ...] or tuple[int, ...].
        default: of the field; None if it must be given.
    """

    help: str
    panel: Panel = Panel.HOW
    metavar: str = ""
    short: str = ""
    argument: bool = False
    choices: Collection[str] = ()
    usual: tuple[str, ...] = ()
    switch: tuple[str, str] | None = None
    zero: str = ""
    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None
    multiple_of: int = 1
    urls: bool = False
    formerly: str = ""
    name: str = ""
    kind: Any = None
    default: Any = None

    @property
    def flags(self) -> tuple[str, ...]:
        """As the command line spells it: ("-o", "--output"), ("--soft/--no-soft",); () for an argument."""
        if self.argument:
            return ()
        name = self.name.rstrip("_").replace("_", "-")  # `import_`, as `import` is a word of Python
        if self.switch is not None:
            return ("/".join(f"--{value}-{name}" for value in self.switch),)
        long = f"--{name}/--no-{name}" if self.kind is bool else f"--{name}"
        return (self.short, long) if self.short else (long,)

    @property
    def sentence(self) -> str:
        """The help, and what 0 means."""
        return f"{self.help} 0 = {self.zero}." if self.zero else self.help

    @property
    def placeholder(self) -> str | None:
        """What stands for its value in a help; None for a switch, which has none."""
        if self.kind is bool or self.switch is not None:
            return None
        if self.metavar:
            return self.metavar
        return "NAME" if self.choices else _PLACEHOLDERS[self.kind]

    @property
    def default_text(self) -> str:
        """The default as it is written on the command line; "" for none, an empty one, and for switches."""
        if self.default in (None, "", ()) or self.kind is bool or self.switch is not None:
            return ""
        if self.is_list:
            return ",".join(map(str, self.default))
        return f"{self.default:g}" if self.kind is float else str(self.default)

    @property
    def is_list(self) -> bool:
        """Whether there may be several values."""
        return self.kind in (tuple[str, ...], tuple[int, ...])

    @property
    def has_commas(self) -> bool:
        """Whether several may be written as one, with commas: numbers and choices, not names of files."""
        return self.is_list and (bool(self.choices) or self.kind == tuple[int, ...])

    def check(self, value: Any) -> None:
        """Refuse a value of the right type that is none of the choices or out of bounds.

        Raises:
            ConfigError: naming the option, what was expected and what was found.
        """
        items = value if self.is_list else (value,)
        if self.has_commas and not items:
            raise ConfigError(f"{self.name}: expected at least one, found none")
        for item in items:
            if is_url(item) and not self.urls:
                raise ConfigError(
                    f"{self.name}: expected a path or a name, found the URL '{item}'",
                    "copy what lies there to a disk",
                )
            if self.choices and item not in self.choices:
                count = "some" if self.is_list else "one"
                known = ", ".join(filter(None, self.choices))
                raise ConfigError(
                    f"{self.name}: expected {count} of {known}, found '{item}'",
                    did_you_mean(item, self.choices),
                )
        if self.kind in (int, float, tuple[int, ...]) and not all(map(self._allows, items)):
            found = list(value) if self.is_list else f"{value:g}" if self.kind is float else value
            raise ConfigError(f"{self.name}: expected {self._expected()}, found {found}")

    @property
    def _least(self) -> float | None:
        return 0 if self.zero and self.least is None else self.least

    def _allows(self, number: float) -> bool:
        if number == 0 and self.zero:
            return True
        return (  # said so that what is no number (nan) is refused
            (self._least is None or number >= self._least)
            and (self.above is None or number > self.above)
            and (self.most is None or number <= self.most)
            and (self.below is None or number < self.below)
            and (self.multiple_of == 1 or number % self.multiple_of == 0)
        )

    def _expected(self) -> str:
        what = "a number" if self.kind is float else "whole numbers" if self.is_list else "a whole number"
        what = what if self.multiple_of == 1 else f"a multiple of {self.multiple_of}"
        limits = (
            ("of at least", self._least),
            ("above", self.above),
            ("at most", self.most),
            ("below", self.below),
        )
        within = ", ".join(f"{word} {limit:g}" for word, limit in limits if limit is not None)
        zero = f", or 0 for {self.zero}" if self.zero and self.least else ""
        return f"{what} {within}{zero}"


def option(help: str, *, default: Any = MISSING, **known: Any) -> Any:
    """Declare a field of a configuration.

    Args:
        help: as in `Option`.
        default: none: it must be given.
        known: what else is known of it, by the names of `Option`.
    """
    return field(default=default, metadata={_KEY: Option(help=help, **known)})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
def configuration(cls: type[C]) -> type[C]:
    """Make a class of `option` fields a frozen dataclass; its fields are given by name and documented."""
    made = dataclass(frozen=True, kw_only=True)(cls)
    about = (f"    {each.name}: {each.metadata[_KEY].sentence}" for each in dataclasses.fields(made))
    made.__doc__ = "\n".join((f"{cls.__doc__ or ''}\n\nAttributes:", *about))
    return made


def options_of(cls: type[Any]) -> dict[str, Option]:
    """The options of a configuration by name: panel by panel, arguments first, own before inherited."""
    if cls not in _OPTIONS:
        kinds = get_type_hints(cls)
        found = [
            replace(
                each.metadata[_KEY],
                name=each.name,
                kind=kinds[each.name],
                default=None if each.default is MISSING else each.default,
            )
            for each in dataclasses.fields(cls)
        ]
        panels = list(Panel)
        found.sort(
            key=lambda each: (panels.index(each.panel), not each.argument, _generation(cls, each.name))
        )
        _OPTIONS[cls] = {each.name: each for each in found}
    return _OPTIONS[cls]


def _generation(cls: type[Any], name: str) -> int:
    """How many classes lie between a class and the one that declares its field."""
    return next(steps for steps, each in enumerate(cls.__mro__) if name in each.__annotations__)


class TableNames(Sequence[str]):
    """Choices that are the names of a table, as it is when it is asked: whatever lines are added later.

    Args:
        names: gives them in their order.
    """

    def __init__(self, names: Callable[[], tuple[str, ...]]) -> None:
        self._names = names

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[str, ...]: ...

    def __getitem__(self, at: int | slice) -> str | tuple[str, ...]:
        return self._names()[at]

    def __len__(self) -> int:
        return len(self._names())


def did_you_mean(found: object, known: Iterable[str]) -> str:
    """A hint at the name nearest to one that is not known, "" if none is near."""
    nearest = difflib.get_close_matches(str(found), list(known), n=1, cutoff=0.5)
    return f"did you mean '{nearest[0]}'?" if nearest else ""
