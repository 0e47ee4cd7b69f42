"""The page as it opens and as it looks: the worst frame first, nothing cut off, names are text."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Open
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.masks.plane_png import encode_plane_png

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_it_opens_at_the_worst_frame(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out(confidence=lambda index: 0.3 if index == 6 else 0.9 - index / 100))
    assert hands.page.locator("body").get_attribute("data-frame") == "6"
    assert hands.text("#frame-name") == "00006"
    assert "between 00004 and 00008" in hands.text("#about")
    assert "confidence .30" in hands.text("#about")
    listed = hands.page.locator("#worst button").all_inner_texts()
    assert listed[0].split() == ["00006", ".30"]
    assert len(listed) == 6  # not the three that were given
    assert hands.page.locator("#worst [aria-current]").count() == 1


def test_the_token_leaves_the_address_and_a_reload_still_works(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    assert "#" not in hands.page.url
    hands.page.reload()
    hands.await_("ready", "yes")


def test_an_address_without_its_token_says_so(make_out: MakeOut, open_page: Open, browser: Browser) -> None:
    hands = open_page(make_out())
    page = browser.new_page()
    page.goto(hands.page.url)
    page.wait_for_selector("#banner:visible")
    assert "open the one that the command printed" in page.locator("#banner").inner_text()
    page.close()


def test_hiding_outlining_and_the_onion_are_seen(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    path = out.layout.confidence("clip", "00001")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_plane_png(np.full(out.size, 60, np.uint8)))
    hands = open_page(out)
    hands.go(1)
    hands.await_quiet()
    plain = hands.picture()
    hands.page.keyboard.down("h")
    hidden = hands.picture()
    hands.page.keyboard.up("h")
    assert hidden != plain
    assert hands.shows(plain)
    for key in ("o", "z", "c"):
        hands.keys(key)
        changed = hands.picture()
        assert changed not in (plain, hidden)
        hands.keys(key)
        assert hands.shows(plain)


def test_the_zoom_stays_when_the_frame_changes(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.keys("0")
    whole = hands.text("#zoom")
    hands.keys("+", "+")
    near = hands.text("#zoom")
    assert near != whole
    hands.keys("ArrowRight")
    hands.await_("frame", 4)
    assert hands.text("#zoom") == near
    hands.keys("0")
    assert hands.text("#zoom") == whole


@pytest.mark.parametrize("size", [(640, 400), (400, 800), (360, 740)])
def test_nothing_is_cut_off_at_200_percent(size: tuple[int, int], make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out(objects=2), viewport={"width": size[0], "height": size[1]})
    hands.page.evaluate("document.querySelector('#legend-stale').hidden = false")
    overflow = hands.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert overflow <= 0
    for name in ("#skip", "#accept", "#timeline", "[data-tool=brush]", "#help-button", "#play", "#opacity"):
        hands.page.locator(name).scroll_into_view_if_needed()
        box = hands.page.locator(name).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size[0]
        assert box["height"] > 0


def test_a_name_with_html_stays_text(make_out: MakeOut, open_page: Open) -> None:
    name = "<img src=x onerror=alert(1)>"
    out = make_out(video=name)
    shutil.copytree(out.root.parent / name, out.root.parent / "other")
    hands = open_page(out)
    hands.page.on("dialog", lambda dialog: hands.errors.append("a dialog opened"))
    assert hands.page.locator("#video option").all_text_contents() == [name]
    assert hands.page.locator("img").count() == 0


def test_a_read_only_page_offers_no_change_and_says_why(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out, read_only=True)
    assert "--read-only" in hands.text("#banner")
    assert not hands.page.locator("[data-tool=brush]").is_visible()
    hands.stroke((20, 17))
    hands.keys("p", "a", "s", "Delete", "u")
    hands.page.wait_for_timeout(300)
    assert not (out.root / "corrections").exists()


def test_a_video_that_cannot_be_read_says_so(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    out.layout.masks("clip", "00000").write_bytes(b"no picture")
    hands = open_page(out)
    assert "00000.png" in hands.text("#stage-note")
    hands.stroke((20, 17))
    hands.keys("p", "y", "s", "ArrowRight")
    hands.page.wait_for_timeout(300)
    assert not out.layout.corrections.exists()


def test_plus_enlarges_frames_of_a_few_pixels(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out(size=(8, 12)))
    whole = int(hands.text("#zoom").split()[0])
    hands.keys("+")
    assert int(hands.text("#zoom").split()[0]) >= whole
