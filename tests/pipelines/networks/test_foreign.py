"""A method of another library gets its network by the function that its line of the table names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vsodtool.config.methods import METHODS
from vsodtool.pipelines.networks.foreign import Request, load_foreign

ASKED: list[Request] = []


class Network:
    name, sha256, named = "toy", "0" * 64, False


def load_toy(request: Request) -> Network | None:
    """What a line may name."""
    ASKED.append(request)
    return None if request.dry_run else Network()


def test_the_function_of_the_line_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    line = replace(METHODS["sam2"], foreign=f"{__name__}:load_toy")
    monkeypatch.setattr("vsodtool.pipelines.networks.foreign.METHODS", {"toy": line})
    monkeypatch.setattr("vsodtool.pipelines.networks.foreign.import_module", lambda _: _This)
    ASKED.clear()
    request = Request(weights="some/where", wanted=True)
    found = load_foreign("toy", request)
    assert found is not None
    assert (found.name, ASKED) == ("toy", [request])
    assert load_foreign("toy", replace(request, dry_run=True)) is None


class _This:
    load_toy = staticmethod(load_toy)


@pytest.mark.parametrize("name", [name for name, line in METHODS.items() if line.foreign])
def test_every_line_names_a_function_that_is_there(name: str) -> None:
    module, function = METHODS[name].foreign.split(":")
    assert callable(getattr(__import__(module, fromlist=[function]), function))


def test_nothing_is_fetched_for_a_method_that_nobody_asked_for() -> None:
    request = Request()
    assert (request.weights, request.wanted, request.known, request.dry_run) == ("", False, None, False)
