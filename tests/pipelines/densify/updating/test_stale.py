"""What an update makes again, and how changed masks are named; by digests alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vsodtool.ops.shots.shots import Shots
from vsodtool.pipelines.densify.updating import stale
from vsodtool.pipelines.densify.updating.stale import StaleInterval, describe_changes, find_stale
from vsodtool.types import FrameRecord, FrameStatus

NAMES = [f"f{index}" for index in range(10)]


class Masks:
    """Masks of some frames, in files that do not exist."""

    video = "clip"

    def __init__(self, *labelled: int) -> None:
        self.files = {NAMES[index]: Path(f"masks/{NAMES[index]}.png") for index in labelled}


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> dict[str, FrameRecord]:
    """Of a run with the masks 2 and 6; a record holds unless its basis says otherwise."""

    class Basis:
        def __init__(self, *_: object) -> None:
            pass

        def holds(self, record: FrameRecord) -> bool:
            return record.basis != "old"

    monkeypatch.setattr(stale, "Basis", Basis)
    return {
        name: FrameRecord(
            "clip", name, FrameStatus.GIVEN if index in (2, 6) else FrameStatus.GENERATED, "", "", 1
        )
        for index, name in enumerate(NAMES)
    }


def make_old(records: dict[str, FrameRecord], *indices: int) -> None:
    for index in indices:
        each = records[NAMES[index]]
        records[each.frame] = FrameRecord("clip", each.frame, each.status, "", "", 1, basis="old")


def found(records: dict[str, FrameRecord], *labelled: int, shots: Shots | None = None) -> list[StaleInterval]:
    masks: Any = Masks(*labelled)
    return find_stale(masks, NAMES, records, *([shots] if shots else []))


def test_nothing_where_nothing_changed(records: dict[str, FrameRecord]) -> None:
    assert found(records, 2, 6) == []


def test_an_interval_is_made_again_as_a_whole(records: dict[str, FrameRecord]) -> None:
    make_old(records, 4)
    assert found(records, 2, 6) == [StaleInterval("clip", "f2", "f6", 3)]
    make_old(records, 0, 9)
    assert found(records, 2, 6) == [
        StaleInterval("clip", "", "f2", 2),
        StaleInterval("clip", "f2", "f6", 3),
        StaleInterval("clip", "f6", "", 3),
    ]


def test_a_mask_beside_which_nothing_else_changes_is_told_alone(records: dict[str, FrameRecord]) -> None:
    make_old(records, 6)
    assert found(records, 2, 6) == [StaleInterval("clip", "f6", "f6", 1)]
    make_old(records, 5)
    assert found(records, 2, 6) == [StaleInterval("clip", "f2", "f6", 3)]


def test_a_frame_that_was_never_made(records: dict[str, FrameRecord]) -> None:
    del records["f8"]
    assert found(records, 2, 6) == [StaleInterval("clip", "f6", "", 3)]


def test_no_interval_goes_across_a_cut(records: dict[str, FrameRecord]) -> None:
    make_old(records, 3)
    assert found(records, 2, 6, shots=Shots((4,))) == [StaleInterval("clip", "f2", "", 1)]


def test_changed_masks_are_named(records: dict[str, FrameRecord]) -> None:
    make_old(records, 6)
    masks: Any = Masks(4, 6)
    assert describe_changes(masks, NAMES, records) == (
        "f2 has none now, masks/f4.png is new, masks/f6.png changed"
    )
    many: Any = Masks(4, 6, 7)
    assert describe_changes(many, NAMES, records).endswith("masks/f6.png changed and 1 more")
    same: Any = Masks(2)
    del records["f6"]
    assert describe_changes(same, NAMES, records) == ""
