"""Objects: another one is added and drawn, where the masks have room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Hands, Open, saved
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_another_object_is_added_and_drawn(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.page.locator("#new-name").fill("<b>ball")
    hands.page.locator("#new-name").press("Enter")
    hands.page.wait_for_selector("#objects [aria-checked=true]:has-text('<b>ball')")
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 1)[17, 20] == 2
    hands.keys("1")
    assert hands.text("#objects [aria-checked=true]").split()[0] == "object"


def test_masks_of_one_object_take_no_other(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out(encoding="binary"))
    assert not hands.page.locator("#new-object").is_visible()
    assert "no room for another object" in hands.text("#objects-closed")


def test_the_256th_object_is_drawn_as_the_256th(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    for name, ids in zip(out.names, out.ids, strict=True):
        wide = ids.astype(np.uint16)
        wide[:2, :2] = 255
        cv2.imwrite(str(out.layout.masks("clip", name)), wide)
    hands = open_page(out)
    hands.go(1)
    hands.page.locator("#new-name").fill("ball")
    hands.page.locator("#new-name").press("Enter")
    hands.page.wait_for_selector("#objects [aria-checked=true]:has-text('ball')")
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 1)[17, 20] == 256


def test_an_object_that_another_window_added_is_offered(
    make_out: MakeOut, open_page: Open, browser: Browser
) -> None:
    hands = open_page(make_out(objects=2))
    other = Hands(browser.new_page(), hands.size).open(hands.server.address)  # type: ignore[attr-defined]
    other.page.locator("#new-name").fill("ball")
    other.page.locator("#new-name").press("Enter")
    other.page.wait_for_selector("#objects [aria-checked=true]:has-text('ball')")
    hands.page.wait_for_selector("#objects button:has-text('ball')")
    other.page.close()


def test_an_object_that_was_added_as_the_server_was_lost_is_offered_and_drawn(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.answer_once("api/v/0", "GET", lambda route: route.abort())
    hands.page.locator("#new-name").fill("ball")
    hands.page.locator("#new-name").press("Enter")
    hands.page.locator("#objects button:has-text('ball')").click()
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 1)[17, 20] == 2


def test_an_object_that_only_a_later_mask_holds_is_offered_though_the_server_was_lost(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out(count=30)
    last = out.ids[29].copy()
    last[20:, :6] = 2
    path = out.layout.masks("clip", "00029")
    path.write_bytes(encode_plane_png(last, read_raw_mask(path).palette))
    hands = open_page(out)
    assert hands.page.locator("#objects button").count() == 1
    hands.answer_once("api/v/0", "GET", lambda route: route.abort())
    hands.keys("End")
    hands.await_("frame", 29)
    hands.page.wait_for_selector("#objects button:nth-of-type(2)")
