"""What was drawn is saved by itself, on its own frame, whatever the server does; and can be taken back."""

from __future__ import annotations

import threading
from typing import Any

import cv2
import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Held, Open, disc, saved
from tests.pipelines.reviewing.conftest import Connect, MakeOut
from vsodtool.media.video.browser_frames import BrowserFrames
from vsodtool.pipelines.reviewing.server import ReviewServer

pytestmark = [pytest.mark.browser, pytest.mark.long]


def test_it_saves_by_itself_and_on_leaving_a_frame(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    hands.watch("saved")
    hands.stroke((20, 17))
    hands.await_said("dirty")
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


def test_an_answer_that_is_cut_off_is_none(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    hands = open_page(out)
    hands.go(1)
    cut = {"status": 200, "content_type": "application/json", "body": '{"etag": "'}
    hands.answer_once("mask/1", "PUT", lambda route: route.fulfill(**cut))
    hands.watch("saved")
    hands.stroke((20, 17))
    hands.keys("s")
    hands.await_said("failed")
    hands.await_("saved", "saved")
    assert saved(out, 1)[17, 20] == 1


def test_a_frame_that_came_while_the_server_was_away_comes_again(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(count=23)
    hands = open_page(out)
    hands.go(1)
    hands.lose_server()
    hands.keys("End")
    hands.page.wait_for_selector("#stage-note:has-text('does not answer')")
    hands.stroke((20, 17))  # on nothing
    hands.find_server()
    hands.page.wait_for_selector("#stage-note", state="hidden")
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 22)[17, 20] == 1
    assert (saved(out, 22) == 1).sum() > 7 * 8


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
    hands.page.wait_for_selector("body[data-saved=saved]", timeout=15_000)  # before the page gives frames up
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


def test_a_correction_that_cannot_be_used_is_seen_and_taken_back(make_out: MakeOut, open_page: Open) -> None:
    out = make_out(objects=2)
    out.correction(1).parent.mkdir(parents=True)
    out.correction(1).write_bytes(b"no picture")
    hands = open_page(out)
    hands.go(2)
    assert hands.page.locator("#stage-note").is_hidden()
    hands.go(1)
    note = hands.text("#stage-note")
    assert "00001.png" in note
    assert "Del takes it back" in note
    assert "corrected" in hands.text("#frame-status")
    seen = cv2.imdecode(np.frombuffer(hands.picture(), np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 500  # its noise
    hands.stroke((20, 17))  # nothing can be drawn on what is not known
    hands.keys("Delete")
    hands.page.wait_for_selector("#frame-status:has-text('generated')")
    assert not out.correction(1).exists()
    hands.page.wait_for_selector("#stage-note", state="hidden")
    hands.stroke((20, 17))
    hands.save()
    assert saved(out, 1)[17, 20] == 1
