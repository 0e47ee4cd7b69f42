"""Which output folders are opened, and where their inputs are looked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import MakeOut
from vsodtool.errors import DataError, UsageError
from vsodtool.media.output.lock import OutputLock
from vsodtool.media.output.manifest import UPDATING, read_manifest, write_manifest
from vsodtool.pipelines.reviewing.folder import open_folder


def test_a_finished_run_is_opened(make_out: MakeOut) -> None:
    out = make_out()
    folder = open_folder(out.root)
    assert (folder.command, [video.name for video in folder.videos]) == ("pseudolabel", ["clip"])
    assert folder.videos[0].names == out.names
    assert folder.writer() == ""


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match="expected an output folder of pseudolabel, predict or review, found none"
    ):
        open_folder(tmp_path)


def test_a_run_of_another_command_is_refused(make_out: MakeOut) -> None:
    with pytest.raises(UsageError, match="found one of flow"):
        open_folder(make_out(command="flow").root)


def test_a_run_of_another_version_is_refused(make_out: MakeOut) -> None:
    out = make_out()
    text = out.layout.manifest.read_text("utf-8")
    out.layout.manifest.write_text(text.replace('"version": "', '"version": "0.0.0+'), "utf-8")
    with pytest.raises(UsageError, match=r"was made by vsodtool 0\.0\.0\+"):
        open_folder(out.root)


def test_an_unfinished_run_is_refused_with_the_next_step(make_out: MakeOut) -> None:
    out = make_out(status="running")
    with pytest.raises(DataError, match="found an unfinished one") as caught:
        open_folder(out.root)
    assert caught.value.hint == "run its command again first"


def test_an_update_that_was_interrupted_may_be_looked_at(make_out: MakeOut) -> None:
    assert open_folder(make_out(status=UPDATING).root).writer() == ""


def test_a_run_at_work_for_the_first_time_is_waited_for(make_out: MakeOut) -> None:
    out = make_out(status="running")
    out.layout.frames_csv.unlink()
    lock = OutputLock(out.layout.lock)
    try:
        with pytest.raises(DataError) as caught:
            open_folder(out.root)
    finally:
        lock.release()
    assert "wait until it is done" in caught.value.hint


def test_a_run_that_is_made_again_may_be_looked_at(make_out: MakeOut) -> None:
    out = make_out(status="running")
    lock = OutputLock(out.layout.lock)
    try:
        assert open_folder(out.root).writer() == "another run is writing to this folder"
    finally:
        lock.release()


def test_an_unknown_video_is_refused(make_out: MakeOut) -> None:
    out = make_out()
    assert len(open_folder(out.root, "clip").videos) == 1
    with pytest.raises(DataError, match="expected the video 'dog', found clip"):
        open_folder(out.root, "dog")


def test_inputs_that_are_gone_are_told(make_out: MakeOut, tmp_path: Path) -> None:
    out = make_out()
    (tmp_path / "clip").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"expected its input 'clip' at .*clip, found nothing there"):
        open_folder(out.root)


@pytest.mark.parametrize("how", ["content", "time", "added", "removed", "renamed"])
def test_inputs_that_changed_are_told(how: str, make_out: MakeOut, tmp_path: Path) -> None:
    out = make_out()
    frame = tmp_path / "clip" / "00003.png"
    if how == "content":
        cv2.imwrite(str(frame), np.zeros((24, 32, 3), np.uint8))
    elif how == "time":
        os.utime(frame, ns=(1, 1))
    elif how == "added":
        shutil.copy(frame, frame.with_name("00099.png"))
    elif how == "removed":
        frame.unlink()
    else:
        frame.rename(frame.with_name("00003b.png"))
    with pytest.raises(DataError, match=r"the video 'clip' .* has changed since"):
        open_folder(out.root)


def test_paths_count_from_where_the_run_was_started(
    make_out: MakeOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = make_out()
    manifest = read_manifest(out.layout.manifest)
    assert manifest is not None
    entry = manifest.inputs["clip"]
    manifest.inputs["clip"] = type(entry)(**{**vars(entry), "path": "clip"})
    manifest.config["output"] = "out"
    write_manifest(out.layout.manifest, manifest)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert open_folder(Path("../out")).videos[0].names == out.names


def test_a_damaged_table_is_told(make_out: MakeOut) -> None:
    out = make_out()
    out.layout.frames_csv.write_text("video,frame\n")
    with pytest.raises(DataError, match="expected the header"):
        open_folder(out.root)
