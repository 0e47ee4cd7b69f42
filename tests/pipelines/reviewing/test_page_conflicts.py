"""Two windows draw on one mask: nothing is overwritten unseen, and the person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Hands, Held, Open, disc, saved
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_two_tabs_meet_and_the_person_decides(make_out: MakeOut, open_page: Open, browser: Browser) -> None:
    out = make_out()
    first = open_page(out)
    second = Hands(browser.new_page(), out.size)
    second.open(first.server.address)  # type: ignore[attr-defined]
    for hands in (first, second):
        hands.go(1)
    for keep, selector in ((True, "#conflict-mine"), (False, "#conflict-theirs")):
        first.stroke((20, 17 - 3 * keep))
        second.stroke((25, 15 - 3 * keep))
        first.save()
        theirs = saved(out, 1).copy()
        heard = first.answers["GET", "v/0/mask/1"]
        second.keys("s")
        second.page.wait_for_selector("#conflict[open]")
        second.page.locator(selector).click()
        second.page.wait_for_selector("#conflict", state="hidden")
        if keep:
            second.await_("saved", "saved")
            assert saved(out, 1)[12, 25] == 1
            # The other page hears of it, and shows what lies there.
            first.await_answer("v/0/mask/1", heard)
        else:
            np.testing.assert_array_equal(saved(out, 1), theirs)
    second.page.close()
    assert second.errors == []


def test_two_frames_may_have_changed_elsewhere(make_out: MakeOut, open_page: Open, browser: Browser) -> None:
    out = make_out()
    first = open_page(out)
    second = Hands(browser.new_page(), out.size)
    second.open(first.server.address)  # type: ignore[attr-defined]
    second.page.route("**/progress", lambda route: route.abort())  # it hears of nothing
    second.go(1)
    second.await_quiet()  # and has the next frame
    for frame in (1, 2):
        first.go(frame)
        first.stroke((20, 17))
        first.save()
    held = Held(second.page, "mask/*", "PUT")
    for frame in (1, 2):
        second.await_("frame", frame)
        second.stroke((25, 15))
        second.keys("ArrowRight")
    held.let_go()
    for _ in (1, 2):
        second.page.wait_for_selector("#conflict[open]")
        about = second.text("#conflict-frame")
        second.page.click("#conflict-mine")
        second.page.wait_for_selector(f"#conflict[open] #conflict-frame:has-text('{about}')", state="hidden")
    second.await_("saved", "saved")
    for frame in (1, 2):
        assert saved(out, frame)[15, 25] == 1
        assert saved(out, frame)[17, 20] == 0
    second.page.close()
    assert second.errors == []


def test_a_save_does_not_hide_what_another_window_saved(
    make_out: MakeOut, open_page: Open, browser: Browser
) -> None:
    out = make_out()
    first = open_page(out)
    second = Hands(browser.new_page(), out.size)
    second.open(first.server.address)  # type: ignore[attr-defined]
    second.go(5)
    held = Held(second.page, "progress", "GET")
    held.await_one()
    first.go(1)
    first.stroke((20, 17))
    first.save()
    second.stroke((20, 17))
    second.save()
    held.let_go()
    second.go(1)
    second.page.wait_for_selector("#frame-status:has-text('corrected')")
    second.page.close()
    assert second.errors == []


def test_the_other_mask_is_taken_though_the_server_was_away(
    make_out: MakeOut, open_page: Open, browser: Browser
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    hands.stroke((20, 17))
    theirs = out.ids[1].copy()
    theirs[20, 20] = 1
    out.correction(1).parent.mkdir(parents=True)
    out.correction(1).write_bytes(
        encode_plane_png(theirs, read_raw_mask(out.layout.masks("clip", "00000")).palette)
    )
    hands.keys("s")
    hands.page.wait_for_selector("#conflict[open]")
    hands.lose_server()
    with hands.page.expect_event("requestfailed", lambda request: request.url.endswith("mask/1")):
        hands.page.click("#conflict-theirs")
    heard = hands.answers["GET", "v/0/mask/1"]
    hands.find_server()
    hands.await_answer("v/0/mask/1", heard)
    hands.page.wait_for_selector("#banner", state="hidden")
    hands.stroke((28, 20))
    hands.save()
    theirs[disc(out.size, 28, 20, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), theirs)
