"""The exception tree: exit codes are part of what users rely on (design contract)."""

from __future__ import annotations

import pytest

from vsodtool import errors
from vsodtool.errors import VsodtoolError

EXIT_CODES = {
    "VsodtoolError": 1,
    "ShapeError": 1,
    "UsageError": 2,
    "ConfigError": 2,
    "DataError": 3,
    "WeightsError": 4,
    "DeviceError": 5,
}


def test_every_error_of_the_tree_has_the_exit_code_of_the_contract() -> None:
    tree = {
        name: each.exit_code
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, VsodtoolError)
    }
    assert tree == EXIT_CODES


@pytest.mark.parametrize("hint", ["", "look there"])
def test_an_error_keeps_its_message_and_its_hint(hint: str) -> None:
    error = VsodtoolError("what is wrong", hint)
    assert (str(error), error.message, error.hint) == ("what is wrong", "what is wrong", hint)
