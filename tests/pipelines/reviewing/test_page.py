"""The page in a browser: what is drawn is what is saved, nothing is lost, the keys suffice."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from scipy import ndimage

from tests.pipelines.reviewing.browser import Hands, Held, Open, disc, saved
from tests.pipelines.reviewing.conftest import Connect, MakeOut, Out
from vsodtool.config import ReviewConfig
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.review_notes import parse_notes
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.media.video.browser_frames import BrowserFrames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.review import run_review
from vsodtool.pipelines.reviewing.begin import begin_folder
from vsodtool.pipelines.reviewing.first_labels import FirstLabels
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.passed_on import bundle, passed_on_page
from vsodtool.pipelines.reviewing.server import ReviewServer
from vsodtool.pipelines.reviewing.session import Session
from vsodtool.types import Event, OnEvent, ignore_event

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


@pytest.mark.parametrize("diameter", [2, 5])
def test_a_stroke_is_a_hard_disc_in_the_file(diameter: int, make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(diameter)
    hands.stroke((20, 17))
    hands.save()
    expected = out.ids[1].copy()
    expected[disc(out.size, 20, 17, diameter)] = 1
    np.testing.assert_array_equal(saved(out, 1), expected)
    assert "◆ corrected" in hands.text("#about")
    assert hands.text("#saved").startswith("saved ")


def test_strokes_have_no_gaps_and_end_at_the_edge(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    hands.stroke((28, 20), (31, 23))
    hands.stroke((5, 14), (25, 14))
    hands.save()
    expected = out.ids[1].copy()
    for step in range(21):
        expected[disc(out.size, 5 + step, 14, 5)] = 1
    found = saved(out, 1)
    np.testing.assert_array_equal(found[:18], expected[:18])
    assert found[23, 31] == 1


def test_the_eraser_takes_away_and_undo_is_exact(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(objects=2)
    hands = open_page(out)
    hands.go(1)
    hands.keys("e")
    hands.brush(5)
    hands.stroke((5, 5))
    hands.save()
    erased = out.ids[1].copy()
    erased[disc(out.size, 5, 5, 5)] = 0
    np.testing.assert_array_equal(saved(out, 1), erased)
    hands.keys("b", "2")
    hands.stroke((3, 4), (28, 20))
    hands.keys("Control+z")
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), erased)
    hands.keys("Control+Shift+z")
    hands.save()
    assert (saved(out, 1) == 2).sum() > (erased == 2).sum()
    hands.keys("Control+z", "Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()  # who undoes everything has corrected nothing


def test_fill_closes_holes_and_refuses_what_is_open(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    ring = disc(out.size, 16, 12, 15) & ~disc(out.size, 16, 12, 9)
    out.layout.masks("clip", "00001").write_bytes(
        encode_plane_png(ring.astype(np.uint8), read_raw_mask(out.layout.masks("clip", "00000")).palette)
    )
    hands = open_page(out)
    hands.go(1)
    hands.keys("f")
    hands.stroke((1, 1))
    assert "has a gap" in hands.text("#saved")
    hands.stroke((16, 12))
    hands.save()
    np.testing.assert_array_equal(saved(out, 1), disc(out.size, 16, 12, 15))
    hands.page.keyboard.down("Shift")
    hands.stroke((16, 12))
    hands.page.keyboard.up("Shift")
    hands.save()
    assert not saved(out, 1).any()


def test_fill_takes_the_edge_of_the_frame_for_a_part_of_the_outline(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    outline = np.zeros(out.size, np.uint8)
    outline[10:, 8] = outline[10:, 20] = outline[10, 8:21] = 1
    out.layout.masks("clip", "00001").write_bytes(
        encode_plane_png(outline, read_raw_mask(out.layout.masks("clip", "00000")).palette)
    )
    hands = open_page(out)
    hands.go(1)
    hands.keys("f")
    hands.stroke((14, 18))
    hands.save()
    outline[10:, 8:21] = 1
    np.testing.assert_array_equal(saved(out, 1), outline)


def test_the_mask_of_the_frame_before_is_copied(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.keys("p")
    hands.await_("saved", "dirty")
    hands.save()
    np.testing.assert_array_equal(saved(out, 2), out.ids[1])


def test_it_saves_by_itself_and_on_leaving_a_frame(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.stroke((20, 17))
    hands.await_("saved", "dirty")
    hands.await_("saved", "saved")
    assert out.correction(1).exists()
    hands.go(2)
    hands.stroke((20, 17))
    hands.keys("ArrowRight")
    hands.await_("saved", "saved")
    assert out.correction(2).exists()
    hands.go(2)
    hands.keys("Delete")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(2).exists()


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
        second.keys("s")
        second.page.wait_for_selector("#conflict[open]")
        second.page.locator(selector).click()
        second.page.wait_for_selector("#conflict", state="hidden")
        if keep:
            second.await_("saved", "saved")
            assert saved(out, 1)[12, 25] == 1
            # The other page hears of it, and shows what lies there.
            first.page.wait_for_timeout(3500)
            second.page.wait_for_timeout(100)
        else:
            np.testing.assert_array_equal(saved(out, 1), theirs)
    second.page.close()
    assert second.errors == []


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
    frames = Notes(out.layout).read()["clip"].frames
    assert (frames["00001"].flag, frames["00005"].flag, frames["00005"].note) == (
        "ok",
        "bad",
        "a <script>leg</script>",
    )
    hands.keys("a", "a")
    hands.page.wait_for_selector("#frame-flag", state="hidden")


def test_all_that_is_drawn_can_be_drawn_with_the_keys(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(1)
    hands.keys("0", "d", *["Shift+ArrowLeft"] * 4, *["Shift+ArrowUp"] * 4)  # the corner
    hands.keys(*["ArrowRight"] * 20, *["ArrowDown"] * 14)
    hands.keys(" ", *["ArrowRight"] * 6, " ", "Escape")
    hands.save()
    expected = out.ids[1].copy()
    expected[14, 20:27] = 1
    np.testing.assert_array_equal(saved(out, 1), expected)
    hands.keys("ArrowRight")
    hands.await_("frame", 2)


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


def test_hiding_outlining_and_the_onion_are_seen(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    path = out.layout.confidence("clip", "00001")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode_plane_png(np.full(out.size, 60, np.uint8)))
    hands = open_page(out)
    hands.go(1)
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


def test_it_plays_to_the_end(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    hands.keys("Home", " ")
    hands.await_("frame", 8)
    hands.page.wait_for_selector("#play[aria-pressed=false]")


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


def test_a_server_that_ends_is_told_and_what_was_drawn_stays(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.server.stop()  # type: ignore[attr-defined]
    hands.page.wait_for_selector("#banner:visible")
    hands.stroke((20, 17))
    hands.keys("s")
    hands.await_("saved", "failed")
    assert "not saved" in hands.text("#saved")


@dataclass
class Brighter:
    """An updater that makes all frames confident, when it is let."""

    out: Out
    go: threading.Event = field(default_factory=threading.Event)
    taken: set[str] = field(default_factory=set)  # corrections that labels were made of

    @dataclass(frozen=True)
    class Interval:
        video: str
        left: str
        right: str
        frames: int

    def stale(self) -> list[Interval]:
        rows = read_frames_csv(self.out.layout.frames_csv)
        new = [
            row
            for row in rows
            if self.out.layout.correction("clip", row.frame).exists() and row.status != "given"
        ]
        back = [
            place
            for place, row in enumerate(rows)
            if row.frame in self.taken and not self.out.layout.correction("clip", row.frame).exists()
        ]
        return [
            *(self.Interval("clip", row.left, row.frame, 1) for row in new),
            *(self.Interval("clip", rows[place - 1].left, rows[place + 1].right, 3) for place in back),
        ]

    def prepare(self) -> None:
        pass

    def run(self, on_event: OnEvent) -> None:
        on_event(Event("video", "clip", total=9, done=8))
        assert self.go.wait(20)
        on_event(Event("frame", "clip", total=9, done=9))
        rows = read_frames_csv(self.out.layout.frames_csv)
        corrected = {row.frame for row in rows if self.out.layout.correction("clip", row.frame).exists()}
        self.taken |= corrected
        write_frames_csv(
            self.out.layout.frames_csv,
            [
                replace(row, status=type(row.status)("given"), confidence=1.0) if row.frame in corrected
                else replace(row, confidence=0.99) if row.status == "generated" else row
                for row in rows
            ],
        )  # fmt: skip
        everywhere = encode_plane_png(
            np.ones(self.out.size, np.uint8), read_raw_mask(self.out.layout.masks("clip", "00000")).palette
        )
        self.out.layout.masks("clip", "00002").write_bytes(everywhere)

    def close(self) -> None:
        """Nothing is kept."""


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


def correct_and_make_again(hands: Hands) -> None:
    """Draw on frame 3; the labels beside it are being made after that."""
    hands.go(3)
    hands.stroke((20, 17))
    hands.save()
    hands.await_("stale", 1)
    hands.keys("u")
    hands.await_("rerun", "running")


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


def test_answers_from_before_a_save_take_no_undo_away(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    page = hands.page

    def hold_next(what: str, held: list[tuple[Any, Any]]) -> None:
        def hold(route: Any) -> None:
            if held or route.request.method != "GET":
                route.continue_()
            else:
                held.append((route, route.fetch()))

        page.route(f"**/{what}", hold)

    progress, mask = list[tuple[Any, Any]](), list[tuple[Any, Any]]()
    with page.expect_request("**/progress"):
        hold_next("progress", progress)
    hands.stroke((20, 17))
    hands.save()
    with page.expect_request("**/mask/1"):
        hold_next("mask/1", mask)
        progress[0][0].fulfill(response=progress[0][1])  # older: the page thinks that something has changed
    hands.stroke((3, 4))
    hands.save()
    mask[0][0].fulfill(response=mask[0][1])  # without the second stroke
    page.wait_for_timeout(200)
    hands.stroke((28, 4))
    hands.keys("Control+z", "Control+z", "Control+z", "s")
    page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()


@dataclass
class Bare:
    """A page of bare videos whose labels are made when they are let.

    Attributes:
        hands: on the page.
        go: lets labels be made.
        servers: of the page, and of its labels once these are there.
    """

    hands: Hands
    go: threading.Event
    servers: list[ReviewServer]


@contextmanager
def bare_page(out: Out, source: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    """`vsodtool review SOURCE`; the labels are those of `out`, and lie in SOURCE-labels."""
    go, serving = threading.Event(), threading.Event()
    servers: list[ReviewServer] = []

    def run(made: FirstLabels, on_event: OnEvent) -> None:
        on_event(Event("video", "clip", total=9, done=1))
        assert go.wait(20)
        shutil.copytree(out.root, made.output)

    def hear(server: ReviewServer) -> None:
        servers.append(server)
        serving.set()

    monkeypatch.setattr(FirstLabels, "run", run)
    config = ReviewConfig(source=source, output=f"{source}-drawn", browser=False)
    thread = threading.Thread(target=run_review, args=(config,), kwargs={"serving": hear})
    thread.start()
    assert serving.wait(20)
    hands = Hands(browser.new_page(), out.size).open(servers[0].address)
    try:
        yield Bare(hands, go, servers)
    finally:
        go.set()
        hands.page.close()
        servers[-1].stop()
        thread.join(20)
    assert hands.errors == []


def test_from_a_bare_video_to_its_labels_without_leaving_the_page(
    make_out: MakeOut, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bare_page(make_out(), tmp_path / "clip", browser, monkeypatch) as bare:
        hands, servers = bare.hands, bare.servers
        assert hands.text("#again-text") == "Draw a mask first"
        assert "First masks" in hands.text("#how-card")
        assert not hands.page.locator("#verdict-card").is_visible()
        hands.stroke((20, 17))
        hands.save()
        hands.await_("stale", 1)
        assert hands.text("#again-text") == "Make labels of 1 mask"
        hands.keys("u")
        hands.await_("rerun", "running")
        bare.go.set()
        hands.page.wait_for_selector("#verdict-card:visible")  # the same address shows the labels now
        hands.await_("ready", "yes")
        assert hands.text("#title") == "clip-labels"
        assert hands.text("#again-text") == "Nothing to make again"
        assert (len(servers), {each.address for each in servers}) == (2, {servers[0].address})


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


def test_masks_in_the_page_are_what_numpy_says(make_out: MakeOut, open_page: Open) -> None:
    """Random discs: each as numpy draws it, and undone to the first pixel."""
    hands = open_page(make_out())
    rng = np.random.default_rng(7)
    size = height, width = 23, 31
    start = rng.integers(0, 3, size, dtype=np.uint8)
    discs = [
        [int(value) for value in (*rng.integers(-4, 34, 2), rng.integers(1, 14), rng.integers(0, 4))]
        for _ in range(40)
    ]
    found = hands.page.evaluate(
        """async ([start, width, height, discs]) => {
          const { Mask } = await import("/ids.js");
          const mask = new Mask(Uint8Array.from(start), width, height), seen = [];
          for (const [x, y, diameter, id] of discs) {
            mask.begin(); mask.disc(x, y, diameter, id); mask.end();
            seen.push([...mask.ids]);
          }
          while (mask.undo());
          const undone = [...mask.ids];
          while (mask.redo());
          return { seen, undone, redone: [...mask.ids] };
        }""",
        [start.reshape(-1).tolist(), width, height, discs],
    )
    drawn = start.copy()
    for (x, y, diameter, number), seen in zip(discs, found["seen"], strict=True):
        drawn[disc(size, x, y, diameter)] = number
        np.testing.assert_array_equal(np.array(seen).reshape(size), drawn)
    np.testing.assert_array_equal(np.array(found["undone"]).reshape(size), start)
    np.testing.assert_array_equal(np.array(found["redone"]).reshape(size), drawn)


def test_tidying_is_what_scipy_says(make_out: MakeOut, open_page: Open) -> None:
    """Specks and pinholes of one object go; the other object, and what lies between them, stays."""
    hands = open_page(make_out())
    mask = np.zeros((40, 50), np.uint8)
    mask[5:30, 5:30] = 1
    mask[10:14, 10:13] = 0  # a pinhole of 12 pixels
    mask[18:26, 12:26] = 0  # a hole too large for one
    mask[20, 20] = 2
    mask[27, 7:9] = 0
    mask[27, 8] = 2  # a hole that borders on the other object
    mask[35:38, 40:43] = 1  # a speck
    mask[36, 41] = 0  # with a hole in it
    mask[32:38, 2:8] = 1  # no speck
    mask[2, 45] = 2
    script = """async ([start, width, height, id]) => {
      const { Mask } = await import("/ids.js");
      const mask = new Mask(Uint8Array.from(start), width, height);
      mask.begin(); const rect = mask.tidy(id, 0.05); mask.end();
      const tidied = [...mask.ids];
      mask.undo();
      const again = new Mask(Uint8Array.from(tidied), width, height).tidy(id, 0.05);
      return { tidied, undone: [...mask.ids], again };
    }"""
    found = hands.page.evaluate(script, [mask.reshape(-1).tolist(), 50, 40, 1])
    regions, count = ndimage.label(mask == 1)
    sizes = ndimage.sum_labels(mask == 1, regions, range(1, count + 1))
    expected = mask.copy()
    for number, size in enumerate(sizes, 1):
        if size < 0.05 * max(sizes):
            expected[regions == number] = 0
    expected[10:14, 10:13] = 1
    np.testing.assert_array_equal(np.array(found["tidied"]).reshape(40, 50), expected)
    np.testing.assert_array_equal(np.array(found["undone"]).reshape(40, 50), mask)
    assert found["again"] is None


def test_a_page_that_is_passed_on_works_from_a_file(
    make_out: MakeOut, browser: Browser, tmp_path: Path
) -> None:
    out = make_out(objects=2)
    path = tmp_path / "page.html"
    with Session(open_folder(out.root), read_only=True) as session:
        path.write_bytes(passed_on_page(session, ignore_event))
    hands = Hands(browser.new_page(), out.size).open(path.as_uri())
    assert hands.text("#frame-name") == "00003"
    assert not hands.page.locator("[data-tool=brush]").is_visible()
    shown = hands.picture()
    hands.keys("r", "o")
    assert hands.picture() != shown
    with hands.page.expect_download() as download:
        hands.page.locator("#export").click()
    flags = tmp_path / "flags.json"
    download.value.save_as(flags)
    assert Notes(out.layout).take(flags, {"clip": out.names}) == 1
    assert Notes(out.layout).read()["clip"].frames["00003"].flag == "bad"
    hands.page.close()
    assert hands.errors == []


def test_a_page_too_large_holds_labels_and_the_worst(
    make_out: MakeOut, browser: Browser, tmp_path: Path
) -> None:
    out = make_out(count=40)
    path = tmp_path / "page.html"
    with Session(open_folder(out.root), read_only=True) as session:
        path.write_bytes(passed_on_page(session, ignore_event, most=15_000))
    hands = Hands(browser.new_page(), out.size).open(path.as_uri())
    count = int(hands.text("#place").split()[2])
    assert 4 < count < 40
    assert f"holds {count} of 40 frames" in hands.text("#export-note")
    assert hands.text("#frame-name") == "00003"
    hands.page.close()
    assert hands.errors == []


def test_the_scripts_are_bundled_without_modules() -> None:
    script = bundle()
    assert "\nimport " not in script
    assert "\nexport " not in script
    assert script.index("const $ids") < script.index("const $view") < script.index("const $app")


def test_a_frame_that_is_left_and_come_back_to_before_it_is_saved_keeps_its_strokes(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    held = Held(hands.page, "mask/1", "PUT")
    hands.stroke((20, 17))
    hands.keys("ArrowRight")
    hands.await_("frame", 2)
    hands.keys("ArrowLeft")
    hands.await_("frame", 1)
    hands.stroke((28, 20))
    held.let_go()
    hands.save()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5) | disc(out.size, 28, 20, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_what_is_copied_is_what_was_drawn_saved_or_not(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    held = Held(hands.page, "mask/1", "PUT")
    hands.stroke((20, 17))
    hands.keys("ArrowRight")
    hands.await_("frame", 2)
    hands.keys("p")
    held.let_go()
    hands.save()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 2), drawn)


def test_what_is_drawn_before_a_frame_is_there_does_not_land_on_it(
    make_out: MakeOut, open_page: Open
) -> None:
    # The masks were forgotten, as labels were made: the next frame is read again, and takes a while.
    out = make_out()
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out, updater=lambda: updater)
    hands.go(7)
    hands.stroke((20, 17))
    hands.save()
    hands.go(5)
    hands.page.wait_for_timeout(500)
    held = Held(hands.page, "mask/6", "GET")
    hands.keys("u")
    hands.await_("made", 1)
    hands.keys("ArrowRight")
    hands.page.wait_for_timeout(100)
    hands.stroke((3, 20))  # on what is still frame 5
    held.let_go()
    hands.await_("frame", 6)
    hands.page.wait_for_timeout(2500)
    assert not out.correction(6).exists()


def test_a_stroke_ends_on_the_frame_that_it_began_on(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.stroke((3, 20))
    hands.save()  # frame 2 has a track
    hands.go(1)
    hands.brush(5)
    mouse = hands.page.mouse
    mouse.move(*hands.at(20, 17))
    mouse.down()
    hands.keys("ArrowRight")
    mouse.up()
    hands.await_("frame", 2)
    hands.page.wait_for_timeout(2500)
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_verdicts_in_haste_end_as_the_page_says(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    for _ in range(6):
        hands.keys("a", "r", "k", "k", "a", "r")
        hands.page.wait_for_selector("#save:disabled")  # the server has all
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
    hands.page.wait_for_timeout(400)
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


def test_two_frames_may_have_changed_elsewhere(make_out: MakeOut, open_page: Open, browser: Browser) -> None:
    out = make_out()
    first = open_page(out)
    second = Hands(browser.new_page(), out.size)
    second.open(first.server.address)  # type: ignore[attr-defined]
    second.page.route("**/progress", lambda route: route.abort())  # it hears of nothing
    second.go(1)
    second.page.wait_for_timeout(500)  # and has the next frame
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
        second.page.click("#conflict-mine")
        second.page.wait_for_timeout(300)
    second.await_("saved", "saved")
    for frame in (1, 2):
        assert saved(out, frame)[15, 25] == 1
        assert saved(out, frame)[17, 20] == 0
    second.page.close()
    assert second.errors == []


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


def test_a_save_does_not_hide_what_another_window_saved(
    make_out: MakeOut, open_page: Open, browser: Browser
) -> None:
    out = make_out()
    first = open_page(out)
    second = Hands(browser.new_page(), out.size)
    second.open(first.server.address)  # type: ignore[attr-defined]
    second.go(5)
    held = Held(second.page, "progress", "GET")
    second.page.wait_for_timeout(3000)
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


def test_an_answer_that_is_cut_off_is_none(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    cut = {"status": 200, "content_type": "application/json", "body": '{"etag": "'}
    hands.page.route("**/mask/1", lambda route: route.fulfill(**cut), times=1)
    hands.stroke((20, 17))
    hands.keys("s")
    hands.await_("saved", "failed")
    hands.await_("saved", "saved")
    assert saved(out, 1)[17, 20] == 1


def test_a_video_that_cannot_be_read_says_so(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    out.layout.masks("clip", "00000").write_bytes(b"no picture")
    hands = open_page(out)
    assert "00000.png" in hands.text("#stage-note")
    hands.stroke((20, 17))
    hands.keys("p", "y", "s", "ArrowRight")
    hands.page.wait_for_timeout(300)
    assert not out.layout.corrections.exists()


def test_a_mask_that_cannot_be_read_is_not_drawn_on(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    path = out.layout.correction("clip", "00002")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no picture")
    hands = open_page(out)
    hands.go(2)
    assert "00002.png" in hands.text("#stage-note")
    hands.stroke((20, 17))
    hands.keys("s")
    assert hands.page.locator("#save").is_disabled()
    hands.go(3)
    hands.keys("p")
    hands.page.wait_for_selector("#saved:has-text('00002.png')")
    assert not out.correction(3).exists()


def test_a_frame_that_came_while_the_server_was_away_comes_again(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(count=23)
    hands = open_page(out)
    hands.go(1)
    hands.page.wait_for_timeout(300)
    away = "**/api/**"
    hands.page.route(away, lambda route: route.abort())
    hands.keys("End")
    hands.page.wait_for_selector("#stage-note:has-text('does not answer')")
    hands.stroke((20, 17))  # on nothing
    hands.page.unroute(away)
    hands.page.wait_for_selector("#stage-note", state="hidden")
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 22)[17, 20] == 1
    assert (saved(out, 22) == 1).sum() > 7 * 8


def with_another_video(out: Out, more: int = 0) -> None:
    """The same clip under another name, too; there with more frames at its end."""
    root, frames = out.root, out.root.parent
    shutil.copytree(frames / "clip", frames / "other")
    shutil.copytree(root / "masks/clip", root / "masks/other")
    rows = read_frames_csv(out.layout.frames_csv)
    rows += [replace(row, video="other") for row in rows]
    for name in (f"{len(out.names) + number:05d}" for number in range(more)):
        for folder in (frames / "other", root / "masks/other"):
            shutil.copy(folder / f"{out.names[-1]}.png", folder / f"{name}.png")
        rows.append(replace(rows[-2], frame=name, left=out.names[-1], right=""))
    write_frames_csv(out.layout.frames_csv, rows)
    inputs = [str(frames / name) for name in ("clip", "other")]
    config = {"inputs": inputs, "output": str(root), "method": "warp"}
    manifest = describe_run("pseudolabel", config, discover_videos(inputs), {})
    write_manifest(out.layout.manifest, manifest.completed(rows, 1.0))


def test_the_video_that_is_shown_stays_chosen_when_labels_come(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    with_another_video(out)
    updater = Brighter(out)
    updater.go.set()
    hands = open_page(out)
    hands.page.select_option("#video", "1")
    hands.await_("video", 1)
    updater.run(ignore_event)
    hands.go(1)
    hands.page.wait_for_selector("#frame-confidence:has-text('.99')")
    assert hands.page.locator("#video").input_value() == "1"


def test_flagged_frames_of_all_videos_come_one_after_the_other(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    with_another_video(out)
    notes = Notes(out.layout)
    for video, frame in (("clip", "00003"), ("other", "00001"), ("other", "00006")):
        notes.set(video, frame, "bad", "")
    hands = open_page(out)
    assert hands.page.locator("#scope").input_value() == "all"
    hands.go(5)
    for key, video, frame in (
        ("x", 1, 1), ("x", 1, 6), ("x", 0, 3), ("Shift+x", 1, 6), ("Shift+x", 1, 1), ("Shift+x", 0, 3)
    ):  # fmt: skip
        hands.keys(key)
        hands.await_("video", video)
        hands.await_("frame", frame)
    hands.page.select_option("#scope", "one")
    hands.keys("x")
    hands.await_("frame", 3)
    assert hands.page.locator("#video").input_value() == "0"


def test_a_brush_that_was_chosen_stays_in_the_next_video(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    with_another_video(out)
    hands = open_page(out)
    own = hands.text("#size-value")
    hands.brush(5)
    hands.page.select_option("#video", "1")
    hands.await_("video", 1)
    assert own != hands.text("#size-value") == "5 px"


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


def test_a_verdict_taken_back_in_a_page_that_was_passed_on_is_taken_back_here(
    make_out: MakeOut, browser: Browser, tmp_path: Path
) -> None:
    out = make_out()
    notes = Notes(out.layout)
    for frame in ("00003", "00005"):
        notes.set("clip", frame, "bad", "")
    path, flags = tmp_path / "page.html", tmp_path / "flags.json"
    with Session(open_folder(out.root), read_only=True) as session:
        path.write_bytes(passed_on_page(session, ignore_event))
    hands = Hands(browser.new_page(), out.size).open(path.as_uri())
    assert hands.text("#frame-name") == "00003"
    hands.keys("r")
    with hands.page.expect_download() as download:
        hands.page.locator("#export").click()
    download.value.save_as(flags)
    notes.set("clip", "00005", "ok", "mended since")  # the page only came with what was said of it before
    (said,) = parse_notes(flags.read_bytes(), flags).values()
    assert {frame: note.flag for frame, note in said.known.items()} == {"00005": "bad"}
    assert notes.take(flags, {"clip": out.names}) == 1
    (mine,) = notes.read()["clip"].frames.values()
    assert (mine.flag, mine.note) == ("ok", "mended since")
    hands.page.close()
    assert hands.errors == []


def test_where_every_frame_is_drawn_nobody_is_asked_to_draw(
    make_out: MakeOut, open_page: Open, tmp_path: Path
) -> None:
    root = tmp_path / "clip-drawn"
    out = replace(make_out(count=1), root=root)
    begin_folder(tmp_path / "clip", root)
    folder = open_folder(root)
    hands = open_page(out, updater=lambda: FirstLabels(folder, lambda config, on_event: None))
    assert hands.text("#again-text") == "Draw a mask first"
    hands.stroke((20, 17))
    hands.save()
    hands.page.wait_for_selector("#again-text:has-text('Every frame is drawn')")


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


def test_a_frame_that_lies_beyond_the_end_of_the_video_before_is_shown(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out(confidence=lambda index: 0.5 if index == 1 else 0.9)
    with_another_video(out, more=12)
    hands = open_page(out)
    hands.page.locator("#timeline").hover(position={"x": 300, "y": 40})
    Notes(out.layout).set("other", "00018", "bad", "")
    hands.page.reload()
    hands.await_("ready", "yes")
    hands.go(8)
    hands.keys("x")
    hands.await_("video", 1)
    hands.await_("frame", 18)
    assert hands.page.locator("#timeline").get_attribute("aria-valuemax") == "21"
    box = hands.page.locator("#timeline").bounding_box()
    assert box is not None
    hands.page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 40)  # rests over frame 21
    hands.page.locator("#video").evaluate(
        "(select) => { select.value = '0'; select.dispatchEvent(new Event('change')); }"
    )
    hands.await_("video", 0)
    hands.await_("frame", 0)


def test_a_correction_taken_back_is_that_of_the_frame_it_was_asked_on(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.brush(5)
    for frame in (2, 3):
        hands.go(frame)
        hands.stroke((20, 17))
        hands.save()
    hands.go(2)
    held = Held(hands.page, "mask/2", "DELETE")
    hands.keys("Delete", "ArrowRight")
    hands.await_("frame", 3)
    hands.stroke((3, 4))
    held.let_go()
    hands.page.wait_for_timeout(300)
    hands.save()
    assert saved(out, 3)[4, 3] == 1
    assert "corrected" in hands.text("#frame-status")
    hands.go(2)
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(2).exists()


def test_verdicts_and_notes_given_while_the_server_was_away_are_kept(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2).go(1)  # so that both are there
    away = "**/api/**"
    hands.page.route(away, lambda route: route.abort())
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
    hands.page.unroute(away)
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
    hands.page.wait_for_timeout(100)
    state.let_go()
    hands.page.wait_for_timeout(200)
    flag.let_go()
    hands.page.wait_for_timeout(300)
    assert "flagged" in hands.text("#frame-flag")


def test_what_is_drawn_is_saved_while_late_frames_are_decoded(
    make_out: MakeOut, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = make_out(count=23, confidence=lambda index: 0.1 if index == 1 else 0.9 - index / 100)
    decoded = threading.Event()
    monkeypatch.setattr(BrowserFrames, "ready", lambda _, index: index < 3 or decoded.is_set())
    hands = open_page(out)
    hands.page.wait_for_timeout(500)
    hands.stroke((20, 17))
    hands.keys("s")
    hands.page.wait_for_selector("body[data-saved=saved]", timeout=5000)
    hands.keys("Home", *["ArrowRight"] * 4)
    hands.page.wait_for_selector("#stage-note:has-text('loading')")
    decoded.set()
    hands.await_("frame", 4)


def test_the_address_of_a_server_begun_anew_opens_in_the_same_tab(
    make_out: MakeOut, open_page: Open, connect: Connect
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    first: ReviewServer = hands.server  # type: ignore[attr-defined]
    first.stop()
    hands.page.wait_for_selector("#banner:visible")
    hands.stroke((20, 17))
    hands.keys("s")
    hands.await_("saved", "failed")
    hands.page.wait_for_timeout(500)
    second = ReviewServer(connect(out).session, first.port)
    thread = threading.Thread(target=second.run)
    thread.start()
    try:
        hands.page.wait_for_selector("#banner:has-text('open the address')")
        hands.page.goto(second.address)
        hands.await_("saved", "saved")
        assert out.correction(1).exists()
        assert "#" not in hands.page.url
        hands.page.wait_for_selector("#banner", state="hidden")
    finally:
        hands.page.close()
        second.stop()
        thread.join(10)


def test_a_mask_that_comes_to_be_copied_does_not_break_a_stroke(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(2)
    hands.brush(5)
    mouse = hands.page.mouse
    mouse.move(*hands.at(20, 17))
    mouse.down()
    hands.keys("p")
    hands.page.wait_for_timeout(100)
    mouse.move(*hands.at(20, 18))
    mouse.up()
    hands.save()
    drawn = out.ids[2].copy()
    drawn[disc(out.size, 20, 17, 5) | disc(out.size, 20, 18, 5)] = 1
    np.testing.assert_array_equal(saved(out, 2), drawn)
    hands.keys("Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(2).exists()


def test_a_second_finger_does_not_break_a_stroke(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out, has_touch=True)
    hands.go(1)
    hands.brush(5)
    session = hands.page.context.new_cdp_session(hands.page)

    def touch(kind: str, *places: tuple[int, int]) -> None:
        points = [
            dict(zip(("x", "y"), hands.at(*place), strict=True), id=number)
            for number, place in enumerate(places)
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (20, 14))
    touch("touchMove", (20, 15))
    touch("touchStart", (20, 15), (4, 20))  # a palm
    touch("touchMove", (20, 16), (4, 20))
    touch("touchEnd")
    hands.save()
    drawn = out.ids[1].copy()
    for y in (14, 15, 16):
        drawn[disc(out.size, 20, y, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)
    hands.keys("Control+z", "s")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()


def test_strokes_land_where_they_are_drawn_on_a_screen_of_another_density(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.brush(5)
    size = hands.page.viewport_size
    assert size is not None
    hands.page.context.new_cdp_session(hands.page).send(
        "Emulation.setDeviceMetricsOverride", {**size, "deviceScaleFactor": 2, "mobile": False}
    )
    hands.page.wait_for_timeout(300)
    hands.stroke((20, 17))
    hands.save()
    drawn = out.ids[1].copy()
    drawn[disc(out.size, 20, 17, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), drawn)


def test_a_key_that_is_held_decides_once(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    for _ in range(6):
        hands.page.keyboard.down("Enter")  # after the first, as a key that is held repeats
    hands.page.keyboard.up("Enter")
    hands.page.wait_for_timeout(500)
    assert len(Notes(out.layout).read()["clip"].frames) == 1
    hands.go(0)
    for _ in range(5):
        hands.page.keyboard.down("ArrowRight")
    hands.page.keyboard.up("ArrowRight")
    hands.await_("frame", 5)


def test_who_goes_elsewhere_while_it_plays_plays_on_from_there(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(count=30)
    hands = open_page(out)
    hands.go(0)
    hands.go(12)
    hands.page.wait_for_timeout(300)
    hands.keys(" ")
    for _ in range(100):
        if int(str(hands.page.locator("body").get_attribute("data-frame"))) >= 18:
            break
        hands.page.wait_for_timeout(20)
    hands.keys("Home")
    hands.page.wait_for_timeout(100)
    assert int(str(hands.page.locator("body").get_attribute("data-frame"))) < 10


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


def test_what_is_drawn_while_labels_are_made_goes_to_its_own_video(
    make_out: MakeOut, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two bare videos only the second has a mask: it is the first of the labels.
    out = make_out()
    (tmp_path / "clips").mkdir()
    shutil.copytree(tmp_path / "clip", tmp_path / "clips/before")
    shutil.move(tmp_path / "clip", tmp_path / "clips/clip")
    manifest = describe_run(
        "pseudolabel",
        {"inputs": [str(tmp_path / "clips/clip")], "output": str(out.root), "method": "warp"},
        discover_videos([str(tmp_path / "clips/clip")]),
        {},
    )
    write_manifest(out.layout.manifest, manifest.completed(read_frames_csv(out.layout.frames_csv), 1.0))
    labels = replace(out, root=tmp_path / "clips-labels")
    with bare_page(out, tmp_path / "clips", browser, monkeypatch) as bare:
        hands = bare.hands
        hands.brush(5)
        hands.page.select_option("#video", "1")
        hands.await_("video", 1)
        hands.stroke((20, 17))
        hands.save()
        hands.await_("stale", 1)
        hands.keys("u")
        hands.await_("rerun", "running")
        hands.keys("ArrowRight")
        hands.await_("frame", 1)
        held = Held(hands.page, "mask/*", "PUT")
        hands.stroke((28, 20))
        hands.keys("s")
        hands.page.wait_for_timeout(200)
        bare.go.set()
        for _ in range(100):
            if len(bare.servers) == 2:
                break
            hands.page.wait_for_timeout(50)
        held.let_go()
        hands.page.wait_for_selector("#conflict[open]")
        assert hands.text("#conflict-frame") == "clip, 00001"
        hands.page.click("#conflict-mine")
        hands.page.wait_for_selector("#verdict-card:visible")
        hands.await_("ready", "yes")
        drawn = disc(out.size, 28, 20, 5)
        np.testing.assert_array_equal(read_raw_mask(labels.correction(1)).values > 0, drawn)


def test_small_pictures_and_confidences_are_those_of_labels_that_another_run_made(
    make_out: MakeOut, open_page: Open
) -> None:
    out = make_out()
    hands = open_page(out)
    rows = read_frames_csv(out.layout.frames_csv)
    write_frames_csv(out.layout.frames_csv, [replace(row, confidence=0.42) for row in rows])
    hands.page.wait_for_selector("#frame-confidence:has-text('.42')")
    assert {text.split()[-1] for text in hands.page.locator("#worst button").all_inner_texts()} == {".42"}


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
    away = "**/api/**"
    hands.page.route(away, lambda route: route.abort())
    hands.page.click("#conflict-theirs")
    hands.page.wait_for_timeout(500)
    hands.page.unroute(away)
    hands.page.wait_for_selector("#banner", state="hidden")
    hands.page.wait_for_timeout(3000)
    hands.stroke((28, 20))
    hands.save()
    theirs[disc(out.size, 28, 20, 5)] = 1
    np.testing.assert_array_equal(saved(out, 1), theirs)


def test_plus_enlarges_frames_of_a_few_pixels(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out(size=(8, 12)))
    whole = int(hands.text("#zoom").split()[0])
    hands.keys("+")
    assert int(hands.text("#zoom").split()[0]) >= whole


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


def test_videos_are_chosen_with_the_keys_one_after_the_other(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    with_another_video(out)
    hands = open_page(out)
    hands.page.locator("#video").focus()
    hands.keys("ArrowDown")
    hands.await_("video", 1)
    hands.keys("ArrowUp")
    hands.await_("video", 0)


def test_what_is_saved_and_left_is_not_kept_in_memory(make_out: MakeOut, open_page: Open) -> None:
    hands = open_page(make_out())
    kept = hands.page.evaluate(
        """async () => {
            const { Saver } = await import("/saver.js"), { Loader } = await import("/loader.js");
            const source = { save: async () => ({ etag: "new" }) };
            const saver = new Saver(source, { saved() {}, conflict() {}, replaced() {}, status() {} });
            for (const key of ["0/1", "0/2"]) {
                saver.open(key, { ids: new Uint8Array(4), etag: "old", corrected: false });
                saver.touch(key, new Uint8Array(4).fill(1));
                saver.flush();
            }
            saver.open("0/3", { ids: new Uint8Array(4), etag: "old", corrected: false });
            saver.touch("0/3", new Uint8Array(4).fill(1));
            await new Promise((done) => setTimeout(done, 100));
            saver.forgetOthers("0/2");
            const never = () => new Promise(() => {});
            const loader = new Loader({ mask: never, frame: never }, () => {});
            loader.want(Array.from({ length: 14 }, (_, frame) => `0/${frame}`), 3840 * 2160);
            return [[...saver.tracks.keys()].join(" "), loader.wanted.length];
        }"""
    )
    assert kept == ["0/2 0/3", 5]


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
    hands.page.wait_for_timeout(300)
    assert set(Notes(out.layout).read()["clip"].frames) == {"00029"}


def test_a_second_enter_in_haste_does_not_accept_what_nobody_saw(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.page.evaluate(
        "() => [1, 2].forEach(() => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true})))"
    )
    hands.page.wait_for_timeout(500)
    assert len(Notes(out.layout).read()["clip"].frames) == 1


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
