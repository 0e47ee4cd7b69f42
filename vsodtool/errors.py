"""The exception tree. Every expected failure is one of these; `cli` turns it into text and an exit code.

A message says what is wrong, where, what was expected against what was found; `hint` says what to do next.
"""

from __future__ import annotations


class VsodtoolError(Exception):
    """Base of all expected errors.

    Args:
        message: what, where, expected against found; one line.
        hint: the next step for the user; one line, may be empty.
    """

    exit_code: int = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(VsodtoolError):
    """The command line or a configuration asks for something impossible (exit 2)."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file or value is malformed, unknown or contradictory (exit 2)."""


class DataError(VsodtoolError):
    """An input file is missing, unreadable, of another size or does not belong where it is (exit 3)."""

    exit_code = 3


class WeightsError(VsodtoolError):
    """Weights are absent, damaged, unsafe or of another architecture (exit 4)."""

    exit_code = 4


class DeviceError(VsodtoolError):
    """A device is absent, or a resource (memory, disk, permission) ran out (exit 5)."""

    exit_code = 5


class ShapeError(VsodtoolError):
    """A tensor handed to a function has the wrong shape or type: a bug of the calling code (exit 1)."""
