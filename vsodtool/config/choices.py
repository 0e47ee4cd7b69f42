"""Choices of an option that are the names of a table, whatever lines are added to it later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload


class TableNames(Sequence[str]):
    """The names of a table as it is when it is asked.

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
