"""Going through a video: playing, long steps, and a video of many frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipelines.reviewing.browser import Open
from tests.pipelines.reviewing.conftest import MakeOut

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_it_plays_to_the_end(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.keys("Home", " ")
    hands.await_("frame", 8)
    hands.page.wait_for_selector("#play[aria-pressed=false]")


def test_a_state_of_5000_frames_is_small_and_steps_are_long(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(count=41, size=(8, 12))
    hands = open_page(out)
    asked = "fetch('/api/state', {headers: {'X-Token': sessionStorage.token}})"
    state = hands.page.evaluate(f"{asked}.then((answer) => answer.text())")
    assert len(state) / 41 * 5000 < 300_000
    hands.keys("End")
    hands.await_("frame", 40)
    hands.keys("Shift+ArrowLeft")
    hands.await_("frame", 30)


def test_who_goes_elsewhere_while_it_plays_plays_on_from_there(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(count=30)
    hands = open_page(out)
    hands.go(0)
    hands.go(12)
    hands.keys(" ")
    hands.page.wait_for_function("() => Number(document.body.dataset.frame) >= 18")
    hands.watch("frame")
    hands.keys("Home")
    hands.page.wait_for_function("() => window.said.some((frame) => 1 <= frame && frame < 10)")
