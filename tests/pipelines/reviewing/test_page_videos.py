"""Several videos in one folder: chosen, gone through one after the other, and not mixed up."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipelines.reviewing.brighter import Brighter
from tests.pipelines.reviewing.browser import Open
from tests.pipelines.reviewing.conftest import MakeOut, Out
from vsodtool.media.output.manifest import write_manifest
from vsodtool.media.output.resume import describe_run
from vsodtool.media.output.tables.frames_csv import read_frames_csv, write_frames_csv
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.reviewing.notes import Notes
from vsodtool.types import ignore_event

if TYPE_CHECKING:
    pass

pytestmark = [pytest.mark.browser, pytest.mark.long]


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


def test_videos_are_chosen_with_the_keys_one_after_the_other(make_out: MakeOut, open_page: Open) -> None:
    out = make_out()
    with_another_video(out)
    hands = open_page(out)
    hands.page.locator("#video").focus()
    hands.keys("ArrowDown")
    hands.await_("video", 1)
    hands.keys("ArrowUp")
    hands.await_("video", 0)
