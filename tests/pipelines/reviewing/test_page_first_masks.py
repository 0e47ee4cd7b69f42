"""From bare videos to their first labels, without leaving the page."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.pipelines.reviewing.browser import Hands, Held, Open, disc
from tests.pipelines.reviewing.conftest import MakeOut, Out
from vsodtool.config import ReviewConfig
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.review import run_review
from vsodtool.pipelines.reviewing.begin import begin_folder
from vsodtool.pipelines.reviewing.first_labels import FirstLabels
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.server import ReviewServer
from vsodtool.types import Event, OnEvent

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.long]


@dataclass
class Bare:
    """A page of bare videos whose labels are made when they are let.

    Attributes:
        hands: on the page.
        go: lets labels be made.
        servers: of the page, and of its labels once these are there.
        told: what a terminal said.
    """

    hands: Hands
    go: threading.Event
    servers: list[ReviewServer]
    told: list[str]


@contextmanager
def bare_page(out: Out, source: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bare]:
    """`vsodtool review SOURCE`; the labels are those of `out`, and lie in SOURCE-labels."""
    go, serving = threading.Event(), threading.Event()
    servers: list[ReviewServer] = []
    told: list[str] = []

    def run(made: FirstLabels, on_event: OnEvent) -> None:
        on_event(Event("video", "clip", total=9, done=1))
        assert go.wait(60)
        shutil.copytree(out.root, made.output)

    def hear(server: ReviewServer) -> None:
        servers.append(server)
        serving.set()

    monkeypatch.setattr(FirstLabels, "run", run)
    config = ReviewConfig(source=source, output=f"{source}-drawn", browser=False)
    listening = {"serving": hear, "on_event": lambda event: told.append(event.message)}
    thread = threading.Thread(target=run_review, args=(config,), kwargs=listening)
    thread.start()
    assert serving.wait(60)
    hands = Hands(browser.new_page(), out.size).open(servers[0].address)
    try:
        yield Bare(hands, go, servers, told)
    finally:
        go.set()
        hands.page.close()
        servers[-1].stop()
        thread.join(60)
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


def test_videos_without_a_mask_are_named_when_the_labels_of_the_others_are_shown(
    make_out: MakeOut, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = two_bare_videos(make_out, tmp_path)
    with bare_page(out, tmp_path / "clips", browser, monkeypatch) as bare:
        hands = bare.hands
        hands.page.select_option("#video", "1")
        hands.await_("video", 1)
        hands.stroke((20, 17))
        hands.save()
        hands.await_("stale", 1)
        hands.keys("u")
        hands.await_("rerun", "running")
        bare.go.set()
        hands.page.wait_for_selector("#verdict-card:visible")
        hands.await_("ready", "yes")
        source = tmp_path / "clips"
        line = f"o mask yet: before; to draw some: vsodtool review {source} -o {source}-drawn"
        assert hands.text("#again-note").endswith(f". N{line}")
        assert f"n{line}" in bare.told


def two_bare_videos(make_out: MakeOut, tmp_path: Path) -> Out:
    """The videos before and clip in clips; what is returned are labels of clip alone."""
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
    return out


@pytest.mark.parametrize("known", [False, True], ids=["as the labels come", "after the page knows of them"])
def test_what_is_drawn_while_labels_are_made_goes_to_its_own_video(
    known: bool, make_out: MakeOut, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of two bare videos only the second has a mask: it is the first of the labels.
    out = two_bare_videos(make_out, tmp_path)
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
        held.await_one()
        heard = hands.answers["GET", "state"]
        bare.go.set()
        hands.until(lambda: len(bare.servers) == 2)
        if known:
            hands.until(lambda: hands.answers["GET", "state"] > heard)
            hands.page.wait_for_timeout(200)  # and looks where what is not saved belongs
        held.let_go()
        hands.page.wait_for_selector("#conflict[open]")
        assert hands.text("#conflict-frame") == "clip, 00001"
        hands.page.click("#conflict-mine")
        hands.page.wait_for_selector("#verdict-card:visible")
        hands.await_("ready", "yes")
        drawn = disc(out.size, 28, 20, 5)
        np.testing.assert_array_equal(read_raw_mask(labels.correction(1)).values > 0, drawn)
