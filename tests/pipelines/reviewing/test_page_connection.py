"""The page on a bad connection, or with a server that hangs: it says so, goes on, and loses nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Hands, Open, disc, saved
from tests.pipelines.reviewing.conftest import MakeOut, Out
from vsodtool.pipelines.reviewing.notes import Notes

pytestmark = [pytest.mark.browser, pytest.mark.long]


@pytest.fixture
def out(make_out: MakeOut) -> Out:
    return make_out(count=23)


@pytest.fixture
def hands(out: Out, open_page: Open) -> Hands:
    return open_page(out, before=lambda hands: hands.page.clock.install()).go(1)


def hang(hands: Hands, path: str, *methods: str, times: int = 1000) -> None:
    """A server that takes requests and never answers."""
    left = [times]

    def hear(route: Any) -> None:
        if left[0] and (not methods or route.request.method in methods):
            left[0] -= 1
        else:
            route.fallback()

    hands.page.route(f"**/api/{path}", hear)


def wait(hands: Hands, seconds: float) -> None:
    """Let time pass in the page."""
    hands.page.wait_for_timeout(100)  # what was sent is on its way
    hands.page.clock.fast_forward(int(1000 * seconds))


def test_a_save_that_nobody_answers_is_given_up_told_and_sent_again(hands: Hands, out: Out) -> None:
    hang(hands, "v/0/mask/1", "PUT", times=1)
    hands.stroke((20, 17))
    hands.keys("s")
    wait(hands, 6)
    hands.page.wait_for_selector("#saved:has-text('still saving')")
    hands.page.wait_for_selector("#banner:has-text('slow to answer')")
    wait(hands, 20)
    hands.await_("saved", "failed")
    hands.page.wait_for_selector("#banner", state="hidden")
    wait(hands, 4)
    hands.await_("saved", "saved")
    assert saved(out, 1)[17, 20] == 1


def test_a_server_that_hangs_is_told_and_what_is_drawn_meanwhile_is_saved(hands: Hands, out: Out) -> None:
    hang(hands, "**")
    hands.stroke((20, 17))
    hands.keys("r")
    for _ in range(4):
        wait(hands, 9)
    hands.page.wait_for_selector("#banner:has-text('does not answer')")
    hands.page.unroute_all()
    for _ in range(4):
        wait(hands, 6)
    hands.await_("saved", "saved")
    hands.page.wait_for_selector("#banner", state="hidden")
    assert saved(out, 1)[17, 20] == 1
    assert Notes(out.layout).read()["clip"].frames["00001"].flag == "bad"


def test_a_frame_that_hangs_comes_when_the_server_answers_again(hands: Hands) -> None:
    hands.page.wait_for_timeout(500)
    hang(hands, "v/0/frame/22", times=1)
    hands.keys("End")
    hands.page.wait_for_selector("#stage-note:has-text('loading')")
    wait(hands, 21)
    hands.await_("frame", 22)
    hands.page.wait_for_selector("#stage-note", state="hidden")


def test_an_answer_that_comes_slowly_is_waited_for(out: Out, open_page: Open) -> None:
    hands = open_page(out).go(1)
    session = hands.page.context.new_cdp_session(hands.page)
    session.send("Network.enable")
    bad = {"offline": False, "latency": 300, "downloadThroughput": 4000, "uploadThroughput": 4000}
    session.send("Network.emulateNetworkConditions", bad)
    hands.brush(5)
    hands.stroke((20, 17))
    hands.keys("ArrowRight")
    hands.await_("frame", 2)
    hands.await_("saved", "saved")
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_a_page_that_is_opened_while_nobody_answers_opens_later(out: Out, open_page: Open) -> None:
    def lose(hands: Hands) -> None:
        for path in ("state", "v/0"):
            hands.page.route(f"**/api/{path}", lambda route: route.abort(), times=1)

    hands = open_page(out, before=lose)
    hands.page.wait_for_selector("#banner", state="hidden")
    hands.go(1)


def test_who_looks_away_has_saved(hands: Hands, out: Out) -> None:
    hands.page.clock.pause_at(datetime.now() + timedelta(minutes=1))  # it does not save by itself
    hands.stroke((20, 17))
    hands.page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    hands.page.wait_for_selector("body[data-saved=saved]")
    assert out.correction(1).exists()


def test_a_word_on_the_server_does_not_move_the_picture(hands: Hands) -> None:
    before = hands.page.locator("#canvas").bounding_box()
    hang(hands, "**")
    for _ in range(3):
        wait(hands, 6)
    hands.page.wait_for_selector("#banner:visible")
    assert hands.page.locator("#canvas").bounding_box() == before


def test_a_frame_that_is_wanted_does_not_wait_for_those_that_can(out: Out, open_page: Open) -> None:
    hands = open_page(out).go(1)
    hands.await_quiet()
    asked: list[str] = []

    def hear(route: Any) -> None:
        asked.append(route.request.url.partition("/api/v/0/")[2])
        if "mask/22" in asked[-1] or "frame/22" in asked[-1]:
            route.continue_()

    hands.page.route("**/api/v/0/*/*", hear)
    hands.go(5)  # it is there, those after it are asked for and never come
    hands.page.wait_for_timeout(300)
    hands.keys("End")
    hands.await_("frame", 22)
    assert len(set(asked) - {"mask/22", "frame/22"}) < 12


def test_what_could_not_be_saved_is_saved_by_the_page_after(out: Out, open_page: Open) -> None:
    hands = open_page(out).go(1)
    hands.page.on("dialog", lambda dialog: dialog.accept())  # who leaves nevertheless
    hands.page.route("**/mask/1", lambda route: route.abort())
    hands.brush(5)
    hands.stroke((20, 17))
    hands.keys("s")
    hands.await_("saved", "failed")
    hands.page.wait_for_function("() => Object.keys(sessionStorage).some((key) => key.startsWith('draft'))")
    hands.page.reload()
    hands.await_("ready", "yes")
    hands.go(1)
    assert not out.correction(1).exists()
    hands.page.unroute_all()
    hands.await_("saved", "saved")
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)
    assert (
        hands.page.evaluate("Object.keys(sessionStorage).filter((key) => key.startsWith('draft')).length")
        == 0
    )
