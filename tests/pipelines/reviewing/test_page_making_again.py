"""Labels made again, by the page or by another run: they are shown, and take no stroke away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.pipelines.reviewing.brighter import Brighter, correct_and_make_again
from tests.pipelines.reviewing.browser import Held, Open, disc, saved
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.types import ignore_event

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_labels_are_made_again_and_the_page_shows_them(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    updater = Brighter(out)
    hands = open_page(out, updater=lambda: updater)
    assert hands.text("#again-text") == "Nothing to make again"
    hands.go(2)
    before = hands.picture()
    hands.go(3)
    hands.stroke((20, 17))
    hands.save()
    hands.await_("stale", 1)
    assert hands.text("#again-text") == "Make 1 interval again"
    hands.keys("u")
    hands.await_("rerun", "running")
    hands.go(1)
    hands.stroke((20, 17))  # is for the next run
    hands.save()
    updater.go.set()
    hands.await_("rerun", "idle")
    hands.page.wait_for_selector("#frame-status:has-text('corrected')")
    hands.go(2)
    assert hands.picture() != before
    hands.page.wait_for_selector("#frame-confidence:has-text('.99')")
    assert "New labels are here" in hands.text("#again-note")


def test_labels_that_come_while_one_draws_do_not_take_the_stroke_away(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    updater = Brighter(out)
    hands = open_page(out, updater=lambda: updater)
    correct_and_make_again(hands)
    hands.go(2)
    hands.brush(5)
    mouse = hands.page.mouse
    mouse.move(*hands.at(20, 17))
    mouse.down()
    with hands.page.expect_response("**/mask/2"):
        updater.go.set()
    hands.await_("made", 1)  # frame 2 is another one now, all object
    hands.page.wait_for_timeout(200)
    mouse.move(*hands.at(20, 18))
    mouse.up()
    hands.keys("s")
    hands.page.wait_for_selector("#conflict[open]")
    hands.page.click("#conflict-mine")
    hands.await_("saved", "saved")
    drawn = out.ids[2].copy()
    drawn[disc(out.size, 20, 17, 5) | disc(out.size, 20, 18, 5)] = 1
    np.testing.assert_array_equal(saved(out, 2), drawn)


def test_one_key_after_a_stroke_saves_it_and_makes_its_labels_again(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out, updater=lambda: updater)
    hands.go(3)
    hands.keys("u")
    assert hands.text("#again-text") == "Nothing to make again"
    hands.stroke((20, 17))
    assert hands.text("#again-text") == "Make labels again"
    hands.keys("u")
    hands.await_("made", 1)
    assert out.correction(3).exists()


def test_one_key_makes_labels_beside_masks_that_another_program_has_edited(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out, updater=lambda: updater)
    assert hands.text("#again-text") == "Nothing to make again"
    updater.edited.add("00003")  # in place: nothing tells the page of it
    hands.keys("u")
    hands.await_("made", 1)


def test_labels_made_again_are_shown_where_one_looks(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    updater = Brighter(out)
    hands = open_page(out, updater=lambda: updater)
    correct_and_make_again(hands)
    hands.go(2)
    before = hands.picture()
    updater.go.set()
    hands.await_("made", 1)
    assert any(hands.picture() != before for _ in range(10))
    hands.keys("e")
    hands.brush(5)
    hands.stroke((20, 17))  # on the new label
    hands.save()
    np.testing.assert_array_equal(saved(out, 2), ~disc(out.size, 20, 17, 5))


def test_a_correction_taken_back_is_no_given_mask(make_out: MakeOut, open_page: Open) -> None:
    # Until its label is made again, the table says of it what it says of a mask that came with the video.
    updater = Brighter(make_out())
    hands = open_page(updater.out, updater=lambda: updater)
    correct_and_make_again(hands)
    updater.go.set()
    hands.await_("rerun", "idle")
    hands.keys("Delete")
    hands.page.wait_for_selector("#frame-status:has-text('taken back')")
    assert "taken back" in str(hands.page.locator("#timeline").get_attribute("aria-valuetext"))
    hands.page.reload()
    hands.await_("ready", "yes")
    hands.go(3)
    hands.page.wait_for_selector("#frame-status:has-text('taken back')")
    hands.go(0)
    assert "given" in hands.text("#frame-status")


def test_a_correction_is_taken_back_while_its_mask_is_read_again(make_out: MakeOut, open_page: Open) -> None:
    updater = Brighter(make_out())
    hands = open_page(updater.out, updater=lambda: updater)
    correct_and_make_again(hands)
    held: list[tuple[Any, Any]] = []

    def hold(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    hands.page.route("**/mask/3", hold)
    with hands.page.expect_request("**/mask/3"):
        updater.go.set()
    hands.keys("Delete")
    hands.page.wait_for_selector("#frame-status:has-text('taken back')")
    assert not updater.out.correction(3).exists()
    route, answer = held[0]
    route.fulfill(response=answer)  # what the mask was before comes too late
    hands.go(2)
    hands.go(3)
    hands.brush(5)
    hands.stroke((20, 5))  # on the label, not on the correction
    hands.save()
    drawn = updater.out.ids[3].copy()
    drawn[disc(updater.out.size, 20, 5, 5)] = 1
    np.testing.assert_array_equal(saved(updater.out, 3), drawn)


def test_labels_that_another_run_made_are_shown(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    updater = Brighter(out)
    hands = open_page(out)
    hands.go(2)
    before = hands.picture()
    updater.go.set()
    updater.run(ignore_event)  # in a terminal
    hands.page.wait_for_selector("#frame-confidence:has-text('.99')")
    assert any(hands.picture() != before for _ in range(10))


def test_small_pictures_and_confidences_are_those_of_labels_that_another_run_made(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    rows = read_frames_csv(out.layout.frames_csv)
    write_frames_csv(out.layout.frames_csv, [replace(row, confidence=0.42) for row in rows])
    hands.page.wait_for_selector("#frame-confidence:has-text('.42')")
    hands.await_worst([".42"] * 6)


def test_labels_of_another_run_are_shown_though_the_server_was_lost_while_they_were_read(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    with hands.page.expect_event("requestfailed", lambda request: request.url.endswith("/api/v/0")):
        hands.answer_once("api/v/0", "GET", lambda route: route.abort())
        rows = read_frames_csv(out.layout.frames_csv)
        write_frames_csv(out.layout.frames_csv, [replace(row, confidence=0.42) for row in rows])
    hands.await_worst([".42"] * 6)
    hands.page.wait_for_selector("#banner", state="hidden")


def test_a_key_pressed_too_early_makes_nothing_of_what_is_drawn_after_it(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out, updater=lambda: updater).go(3)
    hands.await_quiet()
    held = Held(hands.page, "look", "POST")
    hands.keys("u")
    held.await_one()
    hands.stroke((20, 17))
    hands.keys("u")  # this one is meant
    hands.page.wait_for_timeout(300)
    assert not out.correction(3).exists()  # one after the other
    held.let_go()
    hands.await_("made", 1)
    hands.await_quiet()
    assert hands.answers["POST", "rerun"] == 1
