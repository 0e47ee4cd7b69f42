"""Masks edited by hand are taken as corrections, and told; a dry run only tells."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vsodtool.media.output.layout import OutputLayout
from vsodtool.pipelines.densify.updating import edits
from vsodtool.pipelines.densify.updating.edits import take_edits
from vsodtool.types import Event


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def run(tmp_path: Path, told: list[Event]) -> Any:
    return SimpleNamespace(layout=OutputLayout(tmp_path), on_event=told.append)


def edited(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[str]:
    """These masks were drawn on; what is moved is listed."""
    moved: list[str] = []

    def move(layout: OutputLayout) -> list[Path]:
        moved.extend(names)
        return [layout.correction("clip", name) for name in names]

    monkeypatch.setattr(edits, "find_edits", lambda layout: [layout.masks("clip", name) for name in names])
    monkeypatch.setattr(edits, "take_over_edits", move)
    return moved


def test_without_any_nothing_is_said(run: Any, told: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    moved = edited(monkeypatch)
    assert not take_edits(run, dry_run=False)
    assert (moved, told) == ([], [])


def test_they_are_moved_and_named(run: Any, told: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    moved = edited(monkeypatch, "0", "1", "2", "3", "4")
    assert take_edits(run, dry_run=False)
    assert moved == ["0", "1", "2", "3", "4"]
    assert [event.message for event in told] == [
        "5 masks that were edited by hand taken into the corrections: corrections/clip/0.png, "
        "corrections/clip/1.png, corrections/clip/2.png and 2 more"
    ]


def test_a_dry_run_moves_nothing(run: Any, told: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    moved = edited(monkeypatch, "0")
    assert not take_edits(run, dry_run=True)
    assert moved == []
    assert told[0].message == (
        "1 mask that was edited by hand would be taken into the corrections: masks/clip/0.png"
    )
