"""What people said about frames, on the disk."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vsodtool.errors import DataError
from vsodtool.media.output.layout import OutputLayout
from vsodtool.media.output.review_notes import Note
from vsodtool.pipelines.reviewing.notes import Notes

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(OutputLayout(tmp_path / "out"), clock=lambda: NOON)


def test_nothing_was_said_yet(notes: Notes) -> None:
    assert notes.read() == {}
    assert not notes.path.parent.exists()


def test_what_is_said_is_kept_and_taken_back(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ann")
    assert notes.set("a", "1", "bad", "leg") == Note("bad", "leg", "ann", "2026-11-28T12:00:00+00:00")
    notes.set("a", "2", "ok", "")
    notes.set("b", "1", "", "only a note")
    assert {name: set(each.frames) for name, each in notes.read().items()} == {"a": {"1", "2"}, "b": {"1"}}
    notes.set("a", "1", "", "")
    assert set(notes.read()["a"].frames) == {"2"}
    assert [path.name for path in notes.path.parent.iterdir()] == ["review.json"]


def test_two_servers_lose_nothing_of_each_other(notes: Notes, tmp_path: Path) -> None:
    others = [Notes(OutputLayout(tmp_path / "out")) for _ in range(4)]

    def say(server: int) -> None:
        for frame in range(10):
            others[server].set("a", f"{server}-{frame}", "ok", "")

    threads = [threading.Thread(target=say, args=(server,)) for server in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes.read()["a"].frames) == 40


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"version": 2, "videos": {}}',
        '{"version": 1, "videos": []}',
        '{"version": 1, "videos": {"a": {"frames": {"1": {"flag": "good"}}}}}',
        '{"version": 1, "videos": {"a": {"frames": {}, "objects": [{"id": "x"}]}}}',
        "[" * 3000,
    ],
)
def test_a_damaged_file_is_told_and_not_replaced(text: str, notes: Notes) -> None:
    notes.path.parent.mkdir(parents=True)
    notes.path.write_text(text)
    with pytest.raises(DataError, match="expected flags of the review page"):
        notes.read()
    with pytest.raises(DataError):
        notes.set("a", "1", "ok", "")
    assert notes.path.read_text() == text


def test_a_link_is_not_followed(notes: Notes, tmp_path: Path) -> None:
    notes.path.parent.mkdir(parents=True)
    (tmp_path / "theirs").write_text("{}")
    notes.path.symlink_to(tmp_path / "theirs")
    with pytest.raises(DataError, match="found a link"):
        notes.set("a", "1", "ok", "")
    assert (tmp_path / "theirs").read_text() == "{}"


def test_flags_of_a_page_that_was_passed_on_are_taken_over(notes: Notes, tmp_path: Path) -> None:
    notes.set("a", "1", "ok", "")
    file = tmp_path / "flags.json"
    theirs = {
        "frames": {"2": {"flag": "bad", "note": "tail", "who": "", "when": "2026-11-28"}},
        "objects": [],
    }
    file.write_text(json.dumps({"version": 1, "videos": {"a": theirs}}))
    assert notes.take(file, {"a": ["1", "2"]}) == 1
    frames = notes.read()["a"].frames
    assert (frames["1"].flag, frames["2"].flag, frames["2"].note) == ("ok", "bad", "tail")
    with pytest.raises(DataError, match="found frame '2' of video 'a'"):
        notes.take(file, {"a": ["1"]})
    with pytest.raises(DataError, match="cannot read"):
        notes.take(tmp_path / "none.json", {})


def test_of_two_verdicts_on_a_frame_the_newer_one_stays(notes: Notes, tmp_path: Path) -> None:
    for frame in ("1", "2", "3"):
        notes.set("a", frame, "ok", "here")
    before = notes.read()["a"].frames
    file = tmp_path / "flags.json"
    theirs = {
        "frames": {
            "1": {"flag": "bad", "when": "2020-01-01T00:00:00.123Z"},
            "2": {"flag": "bad", "when": "2100-01-01T00:00:00.123Z"},
            "3": {"flag": "bad"},
        },
        "known": {"4": {"flag": "skip", "when": "2100-01-01T00:00:00.123Z"}},
    }
    file.write_text(json.dumps({"version": 1, "videos": {"a": theirs}}))
    assert notes.take(file, {"a": ["1", "2", "3", "4"]}) == 2
    after = notes.read()["a"].frames
    assert after["1"] == before["1"]
    assert {frame: note.flag for frame, note in after.items()} == {"1": "ok", "2": "bad", "3": "bad"}


def test_a_user_without_a_name_is_nobody(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    pwd = pytest.importorskip("pwd")
    monkeypatch.setattr(pwd, "getpwuid", lambda number: {}[os.getuid()])
    assert notes.set("a", "1", "ok", "").who == ""
