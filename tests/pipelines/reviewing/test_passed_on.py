"""A page that is passed on as a file: what it shows, what it holds, and verdicts that come back from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pipelines.reviewing.browser import Hands
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.media.output.review_notes import parse_notes
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.passed_on import bundle, passed_on_page
from vsodtool.pipelines.reviewing.session import Session
from vsodtool.types import Event, ignore_event

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.long]


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


def test_a_correction_that_cannot_be_used_is_told_in_its_place(
    make_out: MakeOut, browser: Browser, tmp_path: Path
) -> None:
    out, heard = make_out(), list[Event]()
    out.correction(3).parent.mkdir(parents=True)
    out.correction(3).write_bytes(b"no picture")
    path = tmp_path / "page.html"
    with Session(open_folder(out.root), read_only=True) as session:
        path.write_bytes(passed_on_page(session, heard.append))
    (warning,) = [event.message for event in heard if event.kind == "warning"]
    assert "00003.png" in warning
    hands = Hands(browser.new_page(), out.size).open(path.as_uri())
    hands.go(3)
    assert hands.text("#stage-note") == warning
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
