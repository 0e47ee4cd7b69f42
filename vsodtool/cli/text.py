"""Plain text for people and pipes: an aligned table, and names made safe to print."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable


def printable(text: str) -> str:
    """`text` on one line: what a file name may hold to control the terminal or the direction of the text
    (so that `fdp.exe` reads `exe.pdf`) is written as escapes."""
    return "".join(
        repr(char)[1:-1] if unicodedata.category(char) in {"Cc", "Zl", "Zp"} or _turns_text(char) else char
        for char in text
    )


def _turns_text(char: str) -> bool:
    """Whether a character is there to change the direction of others, and seen by nobody."""
    kind = unicodedata.bidirectional(char)
    return (
        kind in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        or char in "\u200e\u200f\u061c"
    )


def help_of(command: Callable[..., None]) -> str:
    """The docstring with the lines of each paragraph joined: the terminal's width decides where they end."""
    paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def seconds_cell(seconds: float, *, dry_run: bool) -> str:
    """Seconds in a table; "-" where a dry run did not estimate them."""
    return f"{seconds:.1f}" if seconds or not dry_run else "-"


class Table:
    """Rows under a header; the first column left-aligned, the others by their content."""

    def __init__(self, header: list[str]) -> None:
        self._rows = [header]
        self._numeric = [False] + [True] * (len(header) - 1)

    def add(self, *cells: str | int) -> None:
        """Append a row with as many cells as the header has."""
        row = [printable(str(cell)) for cell in cells]
        self._rows.append(row)
        for column, cell in enumerate(row):
            if cell != "-" and not cell.removeprefix("-").replace(".", "", 1).isdecimal():
                self._numeric[column] = False

    def __str__(self) -> str:
        widths = [max(map(_width, column)) for column in zip(*self._rows, strict=True)]
        lines = []
        for row in self._rows:
            cells = []
            for cell, width, numeric in zip(row, widths, self._numeric, strict=True):
                gap = " " * (width - _width(cell))
                cells.append(gap + cell if numeric else cell + gap)
            lines.append("  ".join(cells).rstrip() + "\n")
        return "".join(lines)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
