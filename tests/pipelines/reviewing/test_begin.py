"""`review VIDEO`: a folder for the first masks of a video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.pipelines.reviewing.conftest import PALETTE, PORT, TOKEN, Client
from tests.scenes import scene
from vsodtool.config import ConvertConfig, PseudoLabelConfig
from vsodtool.errors import DataError, UsageError
from vsodtool.media.masks.plane_png import encode_plane_png
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.convert import run_convert
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.reviewing.app import make_app
from vsodtool.pipelines.reviewing.begin import begin_folder, first_frames
from vsodtool.pipelines.reviewing.first_labels import FirstLabels, labels_of, next_command
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session
from vsodtool.types import Event, FrameStatus, ignore_event


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A folder of twenty frames."""
    (tmp_path / "clip").mkdir()
    for index in range(20):
        assert cv2.imwrite(str(tmp_path / "clip" / f"{index:05d}.png"), np.full((24, 32, 3), index, np.uint8))
    return tmp_path / "clip"


def test_masks_of_several_objects_are_drawn_on_a_bare_video(video: Path, tmp_path: Path) -> None:
    root = tmp_path / "drawn"
    begin_folder(video, root)
    folder = open_folder(root)
    assert folder.command == "review"
    with Session(folder, suggest=lambda: first_frames(folder, 3)) as session:
        client = Client(
            TestClient(
                make_app(session, port=PORT, token=TOKEN, timeout=5), base_url=f"http://127.0.0.1:{PORT}"
            ),
            session,
        )
        state = client.get("/api/state").json()
        assert state["videos"][0]["suggested"] == [2, 10, 17]
        assert state["next"] == (
            f"vsodtool pseudolabel {video} --masks {root / 'corrections'} "
            f"-o {tmp_path / 'drawn-labels'} --confidence"
        )
        assert session.add_object(0, "ball").id == 2
        ids, etag = client.mask(2)
        assert not ids.any()
        drawn = ids.copy()
        drawn[3:9, 4:12], drawn[12:20, 8:20] = 1, 2
        assert client.put_mask(drawn, etag, "/api/v/0/mask/2").status_code == 200
    begin_folder(video, root)  # begun before: it is gone on with
    assert (root / "corrections" / "clip" / "00002.png").is_file()
    source = open_frames(discover_videos([str(video)])[0])
    masks = match_masks(root / "corrections", [source])["clip"]
    assert masks.object_ids == (1, 2)
    np.testing.assert_array_equal(masks.read("00002"), drawn)


def test_several_videos_need_not_all_be_drawn_on(video: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    video.rename(tmp_path / "all" / "a")
    (tmp_path / "all" / "b").mkdir()
    for path in (tmp_path / "all" / "a").iterdir():
        (tmp_path / "all" / "b" / path.name).write_bytes(path.read_bytes())
    begin_folder(tmp_path / "all", tmp_path / "drawn")
    folder = open_folder(tmp_path / "drawn")
    assert next_command(folder).endswith("--confidence --only-masked")


def test_what_lies_there_is_not_written_over(video: Path, tmp_path: Path) -> None:
    begin_folder(video, tmp_path / "drawn")
    with pytest.raises(UsageError, match="expected a new folder"):
        begin_folder(video, tmp_path)  # holds something
    (video / "00020.png").write_bytes((video / "00000.png").read_bytes())
    with pytest.raises(UsageError, match="found another's"):
        begin_folder(video, tmp_path / "drawn")  # the video has changed
    with pytest.raises(UsageError, match="lies inside"):
        begin_folder(video, video / "drawn")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="found neither"):
        begin_folder(tmp_path / "empty", tmp_path / "new")
    with pytest.raises(DataError):
        begin_folder(tmp_path / "nothing", tmp_path / "new")
    assert not (tmp_path / "new").exists()


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
