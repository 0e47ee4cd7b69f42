"""From drawn masks to first labels: begun, gone on with, made again of what was drawn later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import PALETTE
from tests.scenes import scene
from vsodtool.config import ConvertConfig, PseudoLabelConfig
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.pipelines.convert import run_convert
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.reviewing.begin import begin_folder
from vsodtool.pipelines.reviewing.first_labels import FirstLabels, labels_of
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
