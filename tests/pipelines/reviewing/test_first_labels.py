"""From drawn masks to first labels: begun, gone on with, made again of what was drawn later."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import PALETTE
from tests.scenes import scene
from vsodtool.config import ConvertConfig, PseudoLabelConfig
from vsodtool.errors import DataError
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.pipelines.convert import run_convert
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.reviewing.begin import begin_folder
from vsodtool.pipelines.reviewing.first_labels import FirstLabels, labels_of, next_command, undrawn
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session
from vsodtool.types import Event, FrameStatus, ignore_event


def test_labels_are_made_of_what_was_drawn_and_again_of_what_is_drawn_later(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    frames = scene(3, 7, size=(64, 96))
    for index, frame in enumerate(frames):
        assert cv2.imwrite(str(tmp_path / "clip" / f"{index:05d}.png"), frame)
    begin_folder(tmp_path / "clip", tmp_path / "clip-drawn")
    folder = open_folder(tmp_path / "clip-drawn")
    first = FirstLabels(folder, lambda config, on_event: run_pseudolabel(config, on_event=on_event))
    assert first.output == labels_of(folder.layout.root) == tmp_path / "clip-labels"
    assert first.stale() == []

    def draw(index: int) -> None:
        plane = np.zeros((64, 96), np.uint8)
        plane[20:44, 20 + 2 * index : 50 + 2 * index] = 1
        path = folder.layout.correction("clip", f"{index:05d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_plane_png(plane, PALETTE))

    draw(1)

    class StopError(Exception):
        """As Ctrl-C in the midst of it."""

    told: list[str] = []

    def stop(event: Event) -> None:
        told.append(event.message)
        if event.kind == "frame":
            raise StopError

    with pytest.raises(StopError):
        first.run(stop)
    draw(2)  # since: what was begun is begun again
    with pytest.raises(StopError):
        first.run(stop)
    assert not any("continuing" in each for each in told)
    with pytest.raises(StopError):
        first.run(stop)  # nothing more was drawn: it is gone on with
    assert any("continuing an earlier run" in each for each in told)
    folder.layout.correction("clip", "00002").unlink()
    assert [(each.video, each.frames, each.left, each.right) for each in first.stale()] == [
        ("clip", 6, "", "")
    ]
    seen: list[str] = []
    first.run(lambda event: seen.append(event.kind))
    assert "frame" in seen

    def given() -> list[str]:
        rows = read_frames_csv(OutputLayout(first.output).frames_csv)
        assert len(rows) == 7
        return [row.frame for row in rows if row.status is FrameStatus.GIVEN]

    assert given() == ["00001"]
    draw(5)
    first.run(ignore_event)
    assert given() == ["00001", "00005"]
    assert open_folder(first.output).command == "pseudolabel"


def two_videos(tmp_path: Path) -> Callable[[str, int], None]:
    """A folder of the videos camel and zwei, begun in clips-drawn; what is returned draws on a frame."""
    for video, seed in (("camel", 3), ("zwei", 4)):
        (tmp_path / "clips" / video).mkdir(parents=True)
        for index, frame in enumerate(scene(seed, 5, size=(64, 96))):
            assert cv2.imwrite(str(tmp_path / "clips" / video / f"{index:05d}.png"), frame)
    begin_folder(tmp_path / "clips", tmp_path / "clips-drawn")

    def draw(video: str, index: int) -> None:
        plane = np.zeros((64, 96), np.uint8)
        plane[20:44, 20 + 2 * index : 50 + 2 * index] = 1
        path = OutputLayout(tmp_path / "clips-drawn").correction(video, f"{index:05d}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_plane_png(plane, PALETTE))

    return draw


def first_of(tmp_path: Path, video: str = "") -> FirstLabels:
    folder = open_folder(tmp_path / "clips-drawn", video)
    return FirstLabels(folder, lambda config, on_event: run_pseudolabel(config, on_event=on_event))


@pytest.mark.parametrize("video", ["", "zwei"])
def test_a_video_that_is_drawn_on_later_is_labelled_too(tmp_path: Path, video: str) -> None:
    draw = two_videos(tmp_path)
    draw("camel", 1)
    first = first_of(tmp_path, video and "camel")  # as with --video
    assert undrawn(open_folder(tmp_path / "clips-drawn")) == ["zwei"]
    assert next_command(open_folder(tmp_path / "clips-drawn")).endswith("--confidence --only-masked")
    first.run(ignore_event)
    layout = OutputLayout(first.output)
    kept = {path: path.stat().st_mtime_ns for path in layout.root.glob("*/camel/*.png")}
    assert len(kept) == 10
    assert [(each.video, each.frames) for each in first.stale()] == [("camel", 4)]  # to come to the labels
    draw("zwei", 2)
    again = first_of(tmp_path, video)
    assert undrawn(open_folder(tmp_path / "clips-drawn", video)) == []
    assert [(each.video, each.frames) for each in again.stale()] == [("zwei", 4)]
    command = next_command(open_folder(tmp_path / "clips-drawn", video))
    assert command.endswith("--confidence --only-masked --update")
    told: list[str] = []
    again.run(lambda event: told.append(event.message))
    assert "zwei: 4 frames in 2 intervals to make, a new video" in told
    rows = read_frames_csv(layout.frames_csv)
    assert [row.video for row in rows] == ["camel"] * 5 + ["zwei"] * 5
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    fresh = replace_in(command, layout.root, tmp_path / "fresh")
    run_pseudolabel(fresh)
    for name in ("masks", "confidence", "frames.csv"):
        files = [tmp_path / "fresh" / name, *(tmp_path / "fresh" / name).glob("*/*")]
        for path in files:
            there = layout.root / path.relative_to(tmp_path / "fresh")
            assert path.is_dir() or path.read_bytes() == there.read_bytes()
    # Its only mask was taken back: nothing goes without a word, and there is a way on in the page.
    layout_drawn = OutputLayout(tmp_path / "clips-drawn")
    layout_drawn.correction("camel", "00001").unlink()
    with pytest.raises(DataError, match=r"'camel', which .* has no mask any more") as caught:
        first_of(tmp_path).run(ignore_event)
    assert caught.value.hint.startswith("give it a mask again")
    draw("camel", 3)
    first_of(tmp_path).run(ignore_event)
    given = [row for row in read_frames_csv(layout.frames_csv) if row.status is FrameStatus.GIVEN]
    assert [(row.video, row.frame) for row in given] == [("camel", "00003"), ("zwei", "00002")]


def test_a_video_that_came_after_the_only_one_was_labelled(tmp_path: Path) -> None:
    draw = two_videos(tmp_path)
    shutil.rmtree(tmp_path / "clips-drawn")
    (tmp_path / "clips/zwei").rename(tmp_path / "zwei")
    begin_folder(tmp_path / "clips", tmp_path / "clips-drawn")
    draw("camel", 1)
    first_of(tmp_path).run(ignore_event)
    shutil.move(tmp_path / "zwei", tmp_path / "clips/zwei")
    begin_folder(tmp_path / "clips", tmp_path / "clips-drawn")
    first_of(tmp_path).run(ignore_event)  # it has no mask yet
    draw("zwei", 2)
    first = first_of(tmp_path)
    first.run(ignore_event)
    rows = read_frames_csv(OutputLayout(first.output).frames_csv)
    assert [row.video for row in rows] == ["camel"] * 5 + ["zwei"] * 5


def replace_in(command: str, before: Path, after: Path) -> PseudoLabelConfig:
    """The run of a command that was told, anew into another folder."""
    words = shlex.split(command)
    assert words[:2] + words[3:4] + words[5:6] == ["vsodtool", "pseudolabel", "--masks", "-o"]
    assert words[6] == str(before)
    return PseudoLabelConfig(
        inputs=(words[2],), masks=(words[4],), output=after, confidence=True, only_masked=True
    )


def test_what_lies_where_the_labels_go_does_not_keep_the_page_from_opening(tmp_path: Path) -> None:
    draw = two_videos(tmp_path)
    draw("camel", 1)
    first = first_of(tmp_path)
    first.output.mkdir()
    (first.output / "manifest.json").write_text("{")
    assert next_command(open_folder(tmp_path / "clips-drawn")).endswith("--only-masked")
    for asked in (first.stale, lambda: first.run(ignore_event)):
        with pytest.raises(DataError, match=r"cannot read .*manifest\.json"):
            asked()


def test_objects_that_were_named_while_they_were_drawn_have_their_names_in_the_labels(tmp_path: Path) -> None:
    (tmp_path / "clip").mkdir()
    for index, frame in enumerate(scene(3, 3, size=(64, 96))):
        assert cv2.imwrite(str(tmp_path / "clip" / f"{index:05d}.png"), frame)
    begin_folder(tmp_path / "clip", tmp_path / "clip-drawn")
    with Session(open_folder(tmp_path / "clip-drawn")) as session:
        masks = session.video(0).masks
        ball = session.add_object(0, "ball")
        seen = masks.read("00001")
        ids = seen.ids.copy()
        ids[5:20, 5:20], ids[40:55, 60:80] = 1, ball.id
        masks.save("00001", ids, seen.etag)
    first = FirstLabels(
        open_folder(tmp_path / "clip-drawn"),
        lambda config, on_event: run_pseudolabel(replace(config, method="warp"), on_event=on_event),
    )
    first.run(lambda _: None)
    with Session(open_folder(first.output), read_only=True) as session:
        assert [info.name for info in session.video(0).masks.objects] == ["object 1", "ball"]
    report = run_convert(ConvertConfig(source=first.output, to="coco", output=str(tmp_path / "coco.json")))
    assert report.objects == ["object 1", "ball"]
    # Other masks, other names.
    again = PseudoLabelConfig(
        inputs=(str(tmp_path / "clip"),),
        masks=(str(tmp_path / "clip-drawn/corrections/clip"),),
        output=first.output,
        method="warp",
        overwrite=True,
        device="cpu",
    )
    run_pseudolabel(again)
    assert not OutputLayout(first.output).objects.exists()
