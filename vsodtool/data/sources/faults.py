"""Everything that is wrong with the data, told at once: counted, the first three named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vsodtool.errors import DataError

_NAMED = 3


class Faults:
    """Faults of data, by kind."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, *subjects: str | Path) -> None:
        """Note faults.

        Args:
            kind: in the singular, as it stands before a colon: "mask without a frame".
            subjects: what each is about: a path, with more detail if needed.
        """
        if subjects:
            self._found.setdefault(kind, []).extend(map(str, subjects))

    def extend(self, other: Faults) -> None:
        """Take over what another one found."""
        for kind, subjects in other._found.items():
            self.add(kind, *subjects)

    def __len__(self) -> int:
        """How many there are."""
        return sum(map(len, self._found.values()))

    def raise_any(self, hint: str) -> None:
        """Do nothing if nothing is wrong.

        Raises:
            DataError: with every kind, its number, and the first three of it.
        """
        if self._found:
            raise DataError("; ".join(f"{kind}: {name_some(who)}" for kind, who in self._found.items()), hint)


def name_some(subjects: Iterable[str]) -> str:
    """The number of subjects and the first three: "5 (a, b, c, ...)"; one alone is only named."""
    everything = list(subjects)
    if len(everything) == 1:
        return everything[0]
    named = ", ".join(everything[:_NAMED])
    return f"{len(everything)} ({named}{', ...' if len(everything) > _NAMED else ''})"
