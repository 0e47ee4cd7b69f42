"""`review` from Python: what it says without a browser, the page as a file, and what it reports."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from tests.pipelines.reviewing import conftest as reviewing
from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.config import ReviewConfig
from vsodtool.errors import UsageError
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.pipelines.review import ReviewVideoReport, run_review
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.pipelines.reviewing.server import ReviewServer
from vsodtool.types import Event, OnEvent

make_out = reviewing.make_out


def review(source: Path, **options: Any) -> tuple[Any, list[str]]:
    """The report, and what was said."""
    events: list[Event] = []
    report = run_review(ReviewConfig(source=source, browser=False, **options), on_event=events.append)
    return report, [event.message for event in events]


def test_a_dry_run_counts_frames_and_writes_nothing(make_out: MakeOut) -> None:
    out = make_out()
    report, said = review(out.root, dry_run=True)
    assert said == [f"would show 9 frames of {out.root}"]
    assert report.videos == [ReviewVideoReport("clip", 9, 0, 0, 0, 0)]
    assert not out.layout.corrections.exists()


def test_the_report_counts_corrections_and_verdicts(make_out: MakeOut) -> None:
    out = make_out()
    notes = Notes(out.layout)
    for frame, flag in (("00001", "ok"), ("00002", "bad"), ("00003", "bad"), ("00005", "skip")):
        notes.set("clip", frame, flag, "")
    out.correction(6).parent.mkdir(parents=True, exist_ok=True)
    out.correction(6).write_bytes(encode_plane_png(np.zeros(out.size, np.uint8), reviewing.PALETTE))
    report, _ = review(out.root, dry_run=True)
    assert report.videos == [ReviewVideoReport("clip", 9, corrected=1, ok=1, bad=2, skip=1)]
    assert report.as_dict()["output"] == str(out.root)


def test_the_page_as_a_file_is_not_written_over_unasked(make_out: MakeOut, tmp_path: Path) -> None:
    out, page = make_out(), tmp_path / "page.html"
    report, _ = review(out.root, html=str(page))
    assert report.html == str(page)
    assert page.read_bytes().lstrip().lower().startswith(b"<!doctype html>")
    page.write_text("mine")
    with pytest.raises(UsageError, match=r"page\.html exists"):
        review(out.root, html=str(page))
    assert page.read_text() == "mine"
    review(out.root, html=str(page), overwrite=True)
    assert page.stat().st_size > 1000


def test_a_bare_video_is_not_begun_by_a_dry_run(make_out: MakeOut, tmp_path: Path) -> None:
    make_out()
    with pytest.raises(UsageError, match=r"nothing to show before .* is begun"):
        review(tmp_path / "clip", output=str(tmp_path / "drawn"), dry_run=True)
    assert not (tmp_path / "drawn").exists()


def test_where_labels_lie_is_not_asked_of_an_output_folder(make_out: MakeOut, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"but .* is an OUT folder"):
        review(make_out().root, output=str(tmp_path / "drawn"))


def test_the_address_is_told_before_it_serves(make_out: MakeOut) -> None:
    out = make_out()
    events: list[Event] = []

    def stop(server: ReviewServer) -> None:
        assert [event.message for event in events if event.kind == "address"] == [server.address]
        server.stop()

    config = ReviewConfig(source=out.root, browser=False, read_only=True)
    report = run_review(config, serving=stop, on_event=events.append)
    assert [video.name for video in report.videos] == ["clip"]
    assert any(event.message.startswith("read-only: ") for event in events)


def test_labels_of_a_video_that_the_page_does_not_know_are_told_of(make_out: MakeOut) -> None:
    out = make_out()
    rows = read_frames_csv(out.layout.frames_csv)

    class Adding:
        """Makes labels of one more video, as an update does whose inputs have one more."""

        def stale(self) -> list[Any]:
            return []

        def prepare(self) -> None:
            """Nothing to load."""

        def run(self, on_event: OnEvent) -> None:
            more = [replace(row, video="zwei") for row in rows]
            write_frames_csv(out.layout.frames_csv, [*rows, *more])

        def close(self) -> None:
            """Nothing was kept."""

    told: list[str] = []
    heard = threading.Event()

    def hear(event: Event) -> None:
        told.append(event.message)
        if "in addition" in event.message:
            heard.set()

    def press(server: ReviewServer) -> None:
        def ask() -> None:
            request = Request(
                f"http://127.0.0.1:{server.port}/api/rerun",
                b"{}",
                {
                    "X-Token": server.token,
                    "Origin": f"http://127.0.0.1:{server.port}",
                    "Content-Type": "application/json",
                },
            )
            try:
                with urlopen(request, timeout=60):
                    heard.wait(60)
            finally:
                server.stop()

        threading.Thread(target=ask).start()

    config = ReviewConfig(source=out.root, browser=False)
    run_review(config, updater=lambda _: Adding(), serving=press, on_event=hear)
    line = "labels of zwei were made in addition: Ctrl-C and the same command again shows them"
    assert line in told
