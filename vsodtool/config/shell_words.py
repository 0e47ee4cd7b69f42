"""Paths in commands that people are told to type."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

STDIN = "-"


def shell_word(path: Path | str) -> str:
    """A path as an argument of a command line: quoted where it has to be, and never taken for an option."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") and text != STDIN else text)


def shell_words(paths: Iterable[Path | str]) -> str:
    """Several of them, with blanks between."""
    return " ".join(map(shell_word, paths))
