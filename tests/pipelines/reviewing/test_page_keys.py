"""Keys: every control is reached and named, the help tells them all, and they work on every keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipelines.reviewing.browser import Open
from tests.pipelines.reviewing.conftest import MakeOut

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_every_control_is_reached_with_tab_and_named(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    nameless = hands.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select")].filter((each) =>
             !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length))
             .map((each) => each.id)"""
    )
    assert nameless == []
    reached = set()
    for _ in range(60):
        hands.keys("Tab")
        reached.add(
            hands.page.evaluate("document.activeElement.id || document.activeElement.dataset.tool || ''")
        )
    for name in (
        "brush",
        "opacity",
        "canvas",
        "play",
        "timeline",
        "accept",
        "note",
        "new-name",
        "next-worst",
        "help-button",
    ):
        assert name in reached
    slider = hands.page.locator("#timeline")
    assert slider.get_attribute("aria-valuetext") == "frame 00003, 4 of 9, confidence .69"
    assert slider.get_attribute("aria-valuemax") == "9"


def test_the_help_names_the_key_of_every_button(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    keys = hands.page.evaluate(
        "[...document.querySelectorAll('[aria-keyshortcuts]')].map((each) => each.ariaKeyShortcuts)"
    )
    hands.keys("?")
    shown = set(hands.page.locator("#keys kbd").all_inner_texts())
    names = {
        "Control+Z": "Ctrl Z",
        "Control+Shift+Z": "Ctrl Z",
        "ArrowLeft": "←",
        "ArrowRight": "→",
        "Delete": "Del",
    }
    assert {names.get(key, key) for key in keys} <= shown
    hands.keys("Escape")
    hands.page.wait_for_selector("#help", state="hidden")


def test_brackets_typed_with_altgr_change_the_brush(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.brush(5)
    for key, text in (("]", "6 px"), ("[", "5 px")):
        hands.page.evaluate(
            "key => document.body.dispatchEvent(new KeyboardEvent('keydown',"
            " {key, ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true, cancelable: true}))",
            key,
        )
        assert hands.text("#size-value") == text


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("c", "no confidence maps"),
        ("9", "there is no object 9"),
        ("Delete", "no correction"),
        ("Control+z", "nothing to undo"),
        ("Control+Shift+z", "nothing to make again"),
        ("s", "all is saved"),
    ],
)
def test_a_key_that_can_do_nothing_says_so(key: str, said: str, make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.keys(key)
    assert said in hands.text("#saved").lower()


def test_keys_are_those_of_the_same_place_where_letters_are_not_latin(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    for key, code in (("к", "KeyR"), ("щ", "KeyO")):
        hands.page.evaluate(
            "([key, code]) => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', {key, code, bubbles: true}))",
            [key, code],
        )
    hands.page.wait_for_selector("#frame-flag:has-text('flagged')")
    assert hands.page.locator("#outline").get_attribute("aria-pressed") == "true"


def test_the_brush_has_keys_on_every_keyboard(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.brush(5)
    hands.keys(".")
    assert hands.text("#size-value") == "6 px"
    hands.keys(",")
    assert hands.text("#size-value") == "5 px"
    for key, text in (("]", "6 px"), ("[", "5 px")):  # of a Mac: Option is Alt, there is no AltGr
        hands.page.evaluate(
            "key => document.body.dispatchEvent("
            "new KeyboardEvent('keydown', {key, altKey: true, bubbles: true}))",
            key,
        )
        assert hands.text("#size-value") == text
    hands.keys("?")
    assert "comma" in hands.text("#keys")
