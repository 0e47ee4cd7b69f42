"""Verdicts and notes: given on a frame that was seen, kept with it, whatever the server does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipelines.reviewing.browser import Held, Open
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.pipelines.reviewing.notes import Notes

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_a_verdict_is_kept_and_the_next_worst_comes(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(confidence=lambda index: index / 10)
    hands = open_page(out)
    assert hands.text("#frame-name") == "00001"
    hands.keys("Enter")
    hands.page.wait_for_selector("#frame-name:not(:text('00001'))")
    assert hands.text("#frame-name") == "00005"
    hands.keys("r")
    hands.page.wait_for_selector("#frame-flag:has-text('flagged')")
    hands.keys("t")
    hands.page.keyboard.type("a <script>leg</script>")
    hands.keys("Enter", "Home")
    hands.await_("frame", 0)
    hands.keys("x")
    hands.await_("frame", 5)
    assert hands.page.locator("#note").input_value() == "a <script>leg</script>"
    hands.await_all_saved()
    frames = Notes(out.layout).read()["clip"].frames
    assert (frames["00001"].flag, frames["00005"].flag, frames["00005"].note) == (
        "ok",
        "bad",
        "a <script>leg</script>",
    )
    hands.keys("a", "a")
    hands.page.wait_for_selector("#frame-flag", state="hidden")


def test_verdicts_in_haste_end_as_the_page_says(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    for _ in range(6):
        hands.keys("a", "r", "k", "k", "a", "r")
        hands.await_all_saved()
        said = Notes(out.layout).read()["clip"].frames
        assert said["00001"].flag == "bad"
        hands.keys("r")


def test_a_note_stays_with_the_frame_that_it_was_written_on(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.keys("t")
    hands.page.keyboard.type("a leg")
    box = hands.page.locator("#timeline").bounding_box()
    assert box is not None
    hands.page.mouse.click(box["x"] + box["width"] - 30, box["y"] + box["height"] / 2)
    hands.await_("frame", 8)
    hands.await_all_saved()
    assert {name: each.note for name, each in Notes(out.layout).read()["clip"].frames.items()} == {
        "00001": "a leg"
    }
    assert hands.page.locator("#note").input_value() == ""


def test_the_flagged_frames_are_gone_through_backwards_too(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    for frame in (1, 3, 6):
        hands.go(frame)
        hands.keys("r")
    for frame in (3, 1, 6):
        hands.keys("Shift+X")
        hands.await_("frame", frame)


def test_verdicts_and_notes_given_while_the_server_was_away_are_kept(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2).go(1)  # so that both are there
    hands.lose_server()
    hands.keys("r", "t")
    hands.page.keyboard.type("a leg")
    hands.keys("Enter")
    hands.await_("saved", "failed")
    assert hands.page.locator("#note").input_value() == "a leg"
    hands.page.wait_for_selector("#frame-flag:has-text('flagged')")
    hands.keys("ArrowRight")
    hands.await_("frame", 2)
    hands.keys("a")
    hands.page.wait_for_selector("#frame-flag:has-text('accepted')")
    hands.find_server()
    hands.await_("saved", "saved")
    said = Notes(out.layout).read()["clip"].frames
    assert {name: (each.flag, each.note) for name, each in said.items()} == {
        "00001": ("bad", "a leg"),
        "00002": ("ok", ""),
    }


def test_a_verdict_stays_when_the_state_from_before_it_comes_after_it(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    state, flag = Held(hands.page, "state", "GET"), Held(hands.page, "flag/1", "PUT")
    rows = read_frames_csv(out.layout.frames_csv)
    with hands.page.expect_request("**/state"):
        write_frames_csv(out.layout.frames_csv, [replace(row, confidence=0.97) for row in rows])
    hands.keys("r")
    flag.await_one()
    state.let_go()
    hands.page.wait_for_timeout(200)
    flag.let_go()
    hands.page.wait_for_timeout(300)
    assert "flagged" in hands.text("#frame-flag")


def test_a_key_that_is_held_decides_once(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    for _ in range(6):
        hands.page.keyboard.down("Enter")  # after the first, as a key that is held repeats
    hands.page.keyboard.up("Enter")
    hands.await_all_saved()
    hands.page.wait_for_timeout(300)  # and nothing more comes
    assert len(Notes(out.layout).read()["clip"].frames) == 1
    hands.go(0)
    for _ in range(5):
        hands.page.keyboard.down("ArrowRight")
    hands.page.keyboard.up("ArrowRight")
    hands.await_("frame", 5)


@pytest.mark.parametrize("part", ["mask", "frame"])
@pytest.mark.parametrize("key", ["a", "Enter"])
def test_a_frame_that_is_not_seen_yet_is_not_accepted(
    key: str, part: str, make_out: MakeOut, open_page: Open
) -> None:
    out = make_out(count=30)
    hands = open_page(out).go(1)
    hands.page.wait_for_timeout(400)
    held = Held(hands.page, f"{part}/29", "GET")
    hands.keys("End", key)
    hands.page.wait_for_selector("#saved:has-text('not seen yet')")
    hands.page.wait_for_timeout(300)
    assert not out.layout.notes.exists()
    assert hands.text("#frame-name") == "00029"
    held.let_go()
    hands.await_("frame", 29)
    hands.keys(key)
    hands.await_all_saved()
    assert set(Notes(out.layout).read()["clip"].frames) == {"00029"}


def test_a_second_enter_in_haste_does_not_accept_what_nobody_saw(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.page.evaluate(
        "() => [1, 2].forEach(() => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})))"
    )
    hands.await_all_saved()
    hands.page.wait_for_timeout(300)  # and nothing more comes
    assert len(Notes(out.layout).read()["clip"].frames) == 1
