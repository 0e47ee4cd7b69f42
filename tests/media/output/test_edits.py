"""Masks that somebody drew on are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.media.output.small_run import Masks, mask_png
from vsodtool.errors import DeviceError
from vsodtool.media.output import edits
from vsodtool.media.output.edits import Intact, Resized, find_edits, take_over_edits
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.stamps import Condition, Stamp, known_condition


def test_an_edited_mask_is_finished_and_named(masks: Masks) -> None:
    masks.complete()
    edited = masks.layout.masks("bear", "00001")
    edited.write_bytes(mask_png(0))
    for _ in range(2):
        with masks.start() as state:
            assert (state.complete, state.edits) == (True, [edited])
    assert edited.read_bytes() == mask_png(0)


def test_overwrite_moves_edited_masks_to_the_corrections_first(masks: Masks) -> None:
    for value in (1, 2):  # the second time there is a correction already
        masks.complete()
        masks.layout.masks("bear", "00001").write_bytes(mask_png(value))
        with masks.start(overwrite=True) as state:
            assert state.moved == [masks.layout.correction("bear", "00001")]
            assert state.finished("bear") == {}
        assert masks.layout.correction("bear", "00001").read_bytes() == mask_png(value)
    kept = masks.layout.corrections / ".earlier" / "bear" / "00001.1.png"
    assert kept.read_bytes() == mask_png(1)


def test_edits_are_taken_over_and_kept_one_beside_the_other(masks: Masks) -> None:
    masks.complete()
    edited, correction = masks.layout.masks("bear", "00001"), masks.layout.correction("bear", "00001")
    assert find_edits(masks.layout) == take_over_edits(masks.layout) == []
    for number, value in enumerate((1, 2, 3)):
        edited.write_bytes(mask_png(value))
        assert find_edits(masks.layout) == [edited]
        assert take_over_edits(masks.layout) == [correction]
        assert not edited.exists()
        assert correction.read_bytes() == mask_png(value)
        kept = masks.layout.corrections / ".earlier" / "bear" / f"00001.{number}.png"
        assert not number or kept.read_bytes() == mask_png(value - 1)


def test_edits_are_not_taken_over_while_a_run_is_at_work(masks: Masks) -> None:
    masks.complete()
    masks.layout.masks("bear", "00001").write_bytes(mask_png(1))
    with masks.start(), pytest.raises(DeviceError, match="another run"):
        take_over_edits(masks.layout)
    assert find_edits(masks.layout) == [masks.layout.masks("bear", "00001")]


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"update": True}])
def test_a_mask_saved_in_another_size_is_made_again_and_kept_aside(
    masks: Masks, options: dict[str, bool]
) -> None:
    path = masks.layout.masks("bear", "00001")
    for number in (1, 2):
        masks.complete()
        saved = mask_png(number, (16, 20))
        path.write_bytes(saved)
        with masks.start(**options) as state:
            kept = masks.layout.corrections / ".earlier" / "bear" / f"00001.{number}.png"
            assert state.aside == {kept: Resized(path, (16, 20), (8, 10))}
            assert (state.edits, state.moved) == ([], [])
            assert "00001" not in state.finished("bear")
            assert not path.exists()
            state.finish(
                [masks.make("bear", "00000"), masks.make("bear", "00001"), masks.make("cat", "00000")], 1
            )
        assert kept.read_bytes() == saved
        assert not masks.layout.correction("bear", "00001").exists()


def test_what_cannot_be_read_is_nobodys(masks: Masks) -> None:
    masks.complete()
    masks.layout.masks("bear", "00001").write_bytes(mask_png(1, (16, 20))[:-9])
    with masks.start() as state:
        assert state.aside == {}
    assert not masks.layout.corrections.exists()


def test_who_asks_again_and_again_reads_only_what_has_changed(
    masks: Masks, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks.complete()
    read: list[Path] = []

    def condition(layout: OutputLayout, path: Path, files: Mapping[str, Stamp]) -> Condition:
        read.append(path)
        return known_condition(layout, path, files)

    monkeypatch.setattr(edits, "known_condition", condition)
    intact: Intact = {}
    assert find_edits(masks.layout, intact) == []
    assert len(read) > 1
    read.clear()
    edited = masks.layout.masks("bear", "00001")
    edited.write_bytes(mask_png(1))
    for _ in range(2):
        assert find_edits(masks.layout, intact) == [edited]
    assert read == [edited, edited]
    edited.unlink()
    assert find_edits(masks.layout, intact) == []
