"""Every stage that `stages.py` clocks exists: a renamed function would be counted as `rest`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType


def test_each_stage_has_a_function(script: Callable[[str], ModuleType]) -> None:
    for stage, places in script("stages").STAGES.items():
        found = []
        for place in places:
            name, _, path = place.partition(":")
            owner = importlib.import_module(name)
            for part in path.split("."):
                owner = getattr(owner, part, None)
            found.append(owner)
        assert found[-1] is not None, stage  # those before it are of older installations
