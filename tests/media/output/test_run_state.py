"""A run at work: what it finishes is listed, and holds."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.media.output.small_run import Run, snapshot
from vsodtool.errors import DeviceError
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.manifest import read_manifest
from vsodtool.media.output.tables.frames_csv import read_frames_csv
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice


def test_a_first_run(run: Run) -> None:
    with run.start() as state:
        assert (state.resumed, state.complete, state.finished("bear")) == (False, False, {})
        content = json.loads(run.layout.manifest.read_text())
        assert content["status"] == "running"
        row = run.make("bear", "00000")
        state.commit([row])
        manifest = state.finish([row], 1.5)
    assert manifest.status == "complete"
    assert manifest.videos["bear"]["generated"] == 1
    assert read_manifest(run.layout.manifest) == manifest
    assert read_frames_csv(run.layout.frames_csv) == [row]
    names = ["frames.csv", "manifest.json", "masks/bear/00000.png", "written.jsonl"]
    assert sorted(snapshot(run.layout.root)) == names


def test_a_choice_holds_through_kills_completion_and_mending(run: Run) -> None:
    choice = MethodChoice("warp", ["00001"], {"warp": 0.75}, "best there")
    with run.start() as state:
        assert state.choice("bear") is None
        state.choose("bear", choice)
    with run.start() as state:
        assert (state.choice("bear"), state.choice("cat")) == (choice, None)
        assert state.finish([run.make("bear", "00000")], 1.0).choices == {"bear": choice}
    run.layout.masks("bear", "00000").unlink()
    for _ in range(2):  # begun to mend, and killed
        with run.start(outputs_of=run.outputs_of) as state:
            assert not state.complete
            assert state.choice("bear") == choice
    with run.start(outputs_of=run.outputs_of) as state:
        assert state.finish([run.make("bear", "00000")], 1.0).choices == {"bear": choice}
    with run.start(overwrite=True) as state:
        assert state.choice("bear") is None
    written = read_manifest(run.layout.manifest)
    assert written is not None
    assert written.choices == {}


def test_a_frame_that_did_not_decode_is_listed(run: Run) -> None:
    skipped = FrameRecord("bear", "00001", FrameStatus.SKIPPED, "", "", 0.0)
    with run.start(outputs_of=lambda _: []) as state:
        state.finish([skipped], 1.0)
    with run.start(outputs_of=lambda _: [], frames={"bear": ["00001"]}) as state:
        assert state.complete
        assert state.finished("bear") == {"00001": skipped}


def test_an_output_folder_that_was_moved_away_is_noticed(run: Run) -> None:
    with run.start() as state:
        state.commit([run.make("bear", "00000")])
        run.layout.root.rename(run.layout.root.with_name("elsewhere"))
        row = run.make("bear", "00001")
        for action in (lambda: state.commit([row]), lambda: state.finish([row], 1.0)):
            with pytest.raises(DeviceError, match="moved or deleted"):
                action()


def test_a_full_disk_at_the_start_and_at_the_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(DeviceError, match="disk full"):
            run.start()
    with run.start() as state:
        row = run.make("bear", "00000")
        state.commit([row])
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", full)
            with pytest.raises(DeviceError, match="disk full"):
                state.finish([row], 1.0)
    with run.start() as state:
        assert (state.resumed, state.complete) == (True, False)
        assert list(state.finished("bear")) == ["00000"]


def test_a_run_killed_before_its_journal_went_is_complete(run: Run) -> None:
    run.complete()
    whole = snapshot(run.layout.root)
    row = read_frames_csv(run.layout.frames_csv)[0]
    journal = Journal(run.layout.journal)
    journal.commit([row])
    journal.close()
    with run.start() as state:
        assert state.complete
        state.commit([])
    assert snapshot(run.layout.root) == whole
