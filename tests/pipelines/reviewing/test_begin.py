"""`review VIDEO`: a folder for the first masks of a video."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.pipelines.reviewing.conftest import PORT, TOKEN, Client
from vsodtool.errors import DataError, UsageError
from vsodtool.media.masks.sparse import match_masks
from vsodtool.media.video.frames import open_frames
from vsodtool.media.video.inputs import discover_videos
from vsodtool.pipelines.reviewing.app import make_app
from vsodtool.pipelines.reviewing.begin import begin_folder, first_frames
from vsodtool.pipelines.reviewing.first_labels import next_command
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session


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
                make_app(session, port=PORT, token=TOKEN, timeout=30), base_url=f"http://127.0.0.1:{PORT}"
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


def test_a_video_that_came_later_is_added(video: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    video.rename(tmp_path / "all" / "b")
    root = tmp_path / "drawn"
    begin_folder(tmp_path / "all", root)
    (root / "corrections/b").mkdir(parents=True)
    (root / "corrections/b/00002.png").write_bytes(b"drawn")
    shutil.copytree(tmp_path / "all/b", tmp_path / "all/a")
    begin_folder(tmp_path / "all", root)
    folder = open_folder(root)
    assert [(each.name, len(each.names)) for each in folder.videos] == [("a", 20), ("b", 20)]
    assert (root / "corrections/b/00002.png").read_bytes() == b"drawn"
    assert next_command(folder).endswith("--only-masked")
    shutil.rmtree(tmp_path / "all/b")
    with pytest.raises(UsageError, match="found another's"):  # its masks would have no video
        begin_folder(tmp_path / "all", root)
    (root / "manifest.json").write_text(
        (root / "manifest.json").read_text().replace('"review"', '"predict"', 1)
    )
    with pytest.raises(UsageError, match="found another's"):
        begin_folder(tmp_path / "all", root)


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
