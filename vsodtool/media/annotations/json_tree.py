"""JSON of strangers: every access says file and place where it finds something else than it expects."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from vsodtool.errors import DataError
from vsodtool.media.annotations.source import Source

_MISSING = object()
# Control characters, and halves of characters but for those that stand for bytes of file names.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udc7f\udd00-\udfff\ufffe\uffff]")


class Tree:
    """A value of a JSON file, and where it stands.

    Args:
        value: as `json` gives it.
        file: the file, for messages.
        place: the way to the value, for messages: "annotations[3].bbox".
    """

    __slots__ = ("file", "place", "value")

    def __init__(self, value: Any, file: str, place: str = "") -> None:
        self.value, self.file, self.place = value, file, place

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> Tree:
        """The member of an object.

        Raises:
            DataError: this is no object, or it has no such member.
        """
        if not isinstance(self.value, dict):
            raise self.refused("an object {...}")
        place = f"{self.place}.{key}" if self.place else key
        found = self.value.get(key, _MISSING)
        if found is _MISSING:
            raise DataError(
                f"{self.where}: expected the entry '{key}', found none",
                EXPORT_AGAIN,
            )
        return Tree(found, self.file, place)

    def get(self, key: str) -> Tree | None:
        """The member of an object, None where it is missing or null."""
        return self[key] if key in self else None  # noqa: SIM401  (`self.get` is this very function)

    def __iter__(self) -> Iterator[Tree]:
        """The members of a list.

        Raises:
            DataError: this is no list.
        """
        if not isinstance(self.value, list):
            raise self.refused("a list [...]")
        for index, value in enumerate(self.value):
            yield Tree(value, self.file, f"{self.place}[{index}]")

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Keys and members of an object.

        Raises:
            DataError: this is no object.
        """
        if not isinstance(self.value, dict):
            raise self.refused("an object {...}")
        for key in self.value:
            yield key, self[key]

    def text(self) -> str:
        """A string; whole numbers are taken for one, as ids are written either way, 3.0 by tools on pandas.

        Raises:
            DataError: this is neither, or holds characters that no name has.
        """
        if isinstance(self.value, str):
            if _NO_TEXT.search(self.value):
                raise self.refused("a text without control characters")
            return self.value
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value)
        if isinstance(self.value, float) and self.value.is_integer():
            return str(int(self.value))
        raise self.refused("a text")

    def whole(self, least: int = -(2**62), most: int = 2**62) -> int:
        """A whole number between bounds; 3.0 is one.

        Raises:
            DataError: this is none, or outside.
        """
        number = self.number()
        if number != int(number) or not least <= number <= most:
            bounds = f" from {least} to {most}" if least > -(2**62) else ""
            raise self.refused(f"a whole number{bounds}")
        return int(self.value)

    def number(self) -> float:
        """A finite number.

        Raises:
            DataError: this is none.
        """
        if isinstance(self.value, (int, float)) and not isinstance(self.value, bool):
            try:
                number = float(self.value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return number
        raise self.refused("a finite number")

    def numbers(self) -> list[float]:
        """A list of finite numbers.

        Raises:
            DataError: this is no list of them.
        """
        if isinstance(self.value, list) and all(type(value) in (int, float) for value in self.value):
            try:
                found = list(map(float, self.value))
            except OverflowError:
                found = [math.inf]
            if all(map(math.isfinite, found)):
                return found
        raise self.refused("a list of finite numbers")

    @property
    def where(self) -> str:
        """The file and the place in it, as messages name them."""
        return f"{self.file}: {self.place or 'the file'}"

    def pair(self, expected: str = "[x, y]") -> tuple[float, float]:
        """Two finite numbers.

        Args:
            expected: what a message calls them.

        Raises:
            DataError: this is no list of two.
        """
        found = self.numbers()
        if len(found) != 2:
            raise self.refused(expected)
        return found[0], found[1]

    def refused(self, expected: str, hint: str = "") -> DataError:
        """The error that tells what was expected here and what was found."""
        shown = json.dumps(self.value, ensure_ascii=False, default=str)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        return DataError(
            f"{self.where}: expected {expected}, found {shown}",
            hint or EXPORT_AGAIN,
        )


EXPORT_AGAIN = "export it again, or mend the entry"


def load_json(source: Source, name: str) -> Tree:
    """A JSON file of a source; a byte-order mark is passed over.

    Raises:
        DataError: it cannot be read, is not UTF-8, or no JSON (with the place in bytes or characters).
    """
    place = source.place(name)
    if name in source.parsed:
        return Tree(source.parsed[name], place)
    data = source.read(name)
    try:
        value = json.loads(data.decode("utf-8-sig"))
        # The last one only: formats are told apart, and then read, without parsing a large file again.
        source.parsed = {name: value}
        return Tree(value, place)
    except UnicodeDecodeError as error:
        found = f"byte 0x{data[error.start]:02x} at {error.start}, which is not UTF-8"
    except json.JSONDecodeError as error:
        found = f"{error.msg} at line {error.lineno}, column {error.colno}"
    except RecursionError:
        found = "lists within lists without end"
    except ValueError as error:  # a number of more digits than Python reads
        found = str(error)
    raise DataError(f"{place}: expected JSON, found {found}", "export it again")


def top_level_keys(source: Source, name: str) -> set[str] | None:
    """The keys of a JSON object, {"[]"} | keys of the first member for a list of objects; None for others.

    An object of objects with regions, whose keys are names of files, has the key "{regions}" besides.

    Raises:
        DataError: as `load_json`.
    """
    if name not in source.keys:
        value = load_json(source, name).value
        if isinstance(value, list) and value and isinstance(value[0], dict):
            source.keys[name] = {"[]", *value[0]}
        else:
            source.keys[name] = set(value) if isinstance(value, dict) else None
            first = next(iter(value.values()), None) if isinstance(value, dict) else None
            if isinstance(first, dict) and {"regions", "filename"} <= set(first):
                source.keys[name] = {*value, "{regions}"}
    return source.keys[name]


def files_with_keys(source: Source, *keys: str, without: str = "") -> tuple[str, ...]:
    """The JSON files whose top level has all these keys, as `top_level_keys` names them, and not another one.

    Raises:
        DataError: as `load_json`.
    """
    found = []
    for name in source.files_of(".json"):
        own = top_level_keys(source, name)
        if own is not None and set(keys) <= own and without not in own:
            found.append(name)
    return tuple(found)
