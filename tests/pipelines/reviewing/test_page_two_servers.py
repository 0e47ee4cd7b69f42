"""Two pages of two servers on one folder: nothing of either is lost."""

from __future__ import annotations

import pytest

from tests.pipelines.reviewing.browser import Hands, Open
from tests.pipelines.reviewing.conftest import MakeOut, Out
from vsodtool.pipelines.reviewing.notes import Notes

pytestmark = [pytest.mark.browser, pytest.mark.long]


def said(out: Out, frame: str = "00001") -> tuple[str, str]:
    note = Notes(out.layout).read()["clip"].frames[frame]
    return note.flag, note.note


@pytest.fixture
def out(make_out: MakeOut) -> Out:
    return make_out()


@pytest.fixture
def pages(out: Out, open_page: Open) -> tuple[Hands, Hands]:
    ann, bob = open_page(out), open_page(out)
    for hands in (ann, bob):
        hands.go(1)
    return ann, bob


def test_verdict_note_and_mask_of_one_are_seen_on_the_other(pages: tuple[Hands, Hands]) -> None:
    ann, bob = pages
    ann.keys("r", "t")
    ann.page.keyboard.type("a leg")
    ann.keys("Enter")
    bob.page.wait_for_selector("#frame-flag:has-text('flagged')")
    bob.page.wait_for_function("() => document.querySelector('#note').value === 'a leg'")
    ann.page.locator("#canvas").focus()
    ann.stroke((20, 17))
    ann.save()
    bob.page.wait_for_selector("#frame-status:has-text('corrected')")


def test_a_verdict_that_was_not_seen_stays_and_is_told(pages: tuple[Hands, Hands], out: Out) -> None:
    ann, bob = pages
    bob.page.route("**/progress", lambda route: route.abort())  # he does not hear of hers
    ann.keys("r")
    ann.page.wait_for_selector("#frame-flag:has-text('flagged')")
    ann.await_all_saved()
    bob.keys("a")
    bob.page.wait_for_selector("#saved:has-text('meanwhile')")
    assert "flagged" in bob.text("#frame-flag")
    assert said(out) == ("bad", "")
    bob.keys("a")  # now it was seen
    bob.page.wait_for_selector("#frame-flag:has-text('accepted')")
    bob.await_all_saved()
    assert said(out) == ("ok", "")


def test_a_verdict_of_ones_own_that_got_no_answer_is_not_somebody_elses(
    pages: tuple[Hands, Hands], out: Out
) -> None:
    ann, _ = pages

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        route.fetch()
        route.abort()

    ann.answer_once("flag/1", "PUT", lose)
    ann.watch("saved")
    ann.keys("a")
    ann.await_said("failed")
    ann.keys("r")
    ann.await_("saved", "saved")
    assert said(out) == ("bad", "")


def test_a_mask_that_was_saved_without_an_answer_is_no_conflict(pages: tuple[Hands, Hands], out: Out) -> None:
    ann, _ = pages

    def lose(route) -> None:  # type: ignore[no-untyped-def]
        route.fetch()
        route.abort()

    ann.answer_once("mask/1", "PUT", lose)
    ann.watch("saved")
    ann.stroke((20, 17))
    ann.keys("s")
    ann.await_said("failed")
    ann.await_("saved", "saved")
    assert not ann.page.locator("#conflict").is_visible()
    assert out.correction(1).exists()
