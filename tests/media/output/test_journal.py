"""The journal keeps every whole line and survives the loss of the last one."""

from __future__ import annotations

import errno
import io
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsodtool.errors import DataError, DeviceError
from vsodtool.media.output.journal import Journal
from vsodtool.media.output.stamps import Stamp
from vsodtool.types import FrameRecord, FrameStatus, MethodChoice


def record(frame: str, video: str = "bear", confidence: float = 0.5) -> FrameRecord:
    return FrameRecord(video, frame, FrameStatus.GENERATED, "00000", "", confidence)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "journal.jsonl"


def test_reading_makes_no_file(path: Path) -> None:
    journal = Journal(path)
    assert journal.videos() == []
    assert journal.records("bear") == {}
    journal.close()
    assert not path.exists()


def test_gives_back_what_was_committed(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001", confidence=0.1 + 0.2), record("00002")])
    journal.commit([record("00001", video="naïve, “cat”\udcff")])
    assert list(journal.records("bear")) == ["00001", "00002"]
    journal.close()
    again = Journal(path)
    assert again.videos() == ["bear", "naïve, “cat”\udcff"]
    assert again.records("bear") == {"00001": record("00001", confidence=0.1 + 0.2), "00002": record("00002")}


def test_objects_come_back(path: Path) -> None:
    of_objects = replace(record("00001"), objects=((1, 0.25), (7, 0.1 + 0.2)))
    journal = Journal(path)
    journal.commit([of_objects])
    journal.close()
    assert Journal(path).records("bear") == {"00001": of_objects}


def test_the_later_line_holds(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001", confidence=0.1)])
    journal.commit([record("00001", confidence=0.2)])
    journal.close()
    assert Journal(path).records("bear")["00001"].confidence == 0.2


def test_choices_come_back_and_are_no_frames(path: Path) -> None:
    tried = MethodChoice("warp", ["00010", "naïve\udcff"], {"warp": 0.1 + 0.2, "fgplg": 0.25}, "best there")
    tried = replace(tried, objects={"3": "warp", "9": "fgplg"}, objects_j={"3": {"warp": 0.1}, "9": {}})
    given = MethodChoice("fgplg", [], {}, "fewer than 3 labelled frames")
    journal = Journal(path)
    journal.choose("bear", given)
    journal.choose("bear", tried)
    journal.choose("cat", given)
    journal.commit([record("00001")])
    journal.choices().clear()
    assert journal.choices() == {"bear": tried, "cat": given}
    journal.close()
    again = Journal(path)
    assert again.choices() == {"bear": tried, "cat": given}
    assert again.videos() == ["bear"]
    assert again.done() == {}
    again.close()
    with pytest.raises(DeviceError, match="is closed"):
        again.choose("bear", given)


@pytest.mark.parametrize(
    "line", ['{"choice": "bear"}', '{"choice": "bear", "method": "x", "hidden_j": 3}', "[]"]
)
def test_a_damaged_choice_counts_as_never_made(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(f"{line}\n")
    assert Journal(path).choices() == {}


def test_records_are_a_copy(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001")])
    journal.records("bear").clear()
    assert list(journal.records("bear")) == ["00001"]
    journal.close()


def test_any_torn_end_is_cut_off_and_writing_goes_on(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001"), record("00002")])
    journal.close()
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        torn = Journal(path)
        assert list(torn.records("bear")) == ([] if length < first else ["00001"])
        torn.commit([record("00003")])
        torn.close()
        assert list(Journal(path).records("bear")) == ([] if length < first else ["00001"]) + ["00003"]


@pytest.mark.parametrize(
    "line",
    [
        b"\0\0\0",
        b"[]",
        b"7",
        b"{}",
        b"\xff",
        b'{"video":"a","frame":"b","status":"eaten","left":"","right":"","confidence":1}',
        b'{"video":"a","frame":"b","status":"given","left":"","right":"","confidence":null}',
    ],
)
def test_an_unreadable_line_counts_as_never_written(path: Path, line: bytes) -> None:
    journal = Journal(path)
    journal.commit([record("00001")])
    journal.close()
    path.write_bytes(line + b"\n" + path.read_bytes())
    again = Journal(path)
    assert again.videos() == ["bear"]
    assert list(again.records("bear")) == ["00001"]


def test_a_full_disk_leaves_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class SmallDisk(io.FileIO):
        def write(self, data: object) -> int:
            if self.tell() > 300:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(bytes(data)[:70])  # type: ignore[call-overload]

    monkeypatch.setattr("vsodtool.media.output.journal.io.FileIO", SmallDisk)
    journal = Journal(path)
    journal.commit([record("00001")])
    before = path.read_bytes()
    with pytest.raises(DeviceError, match="disk full"):
        journal.commit([record(f"{number:05d}") for number in range(2, 20)])
    assert path.read_bytes() == before
    assert list(journal.records("bear")) == ["00001"]
    journal.close()


def test_a_really_full_disk(mount_tmpfs: Callable[[str], Path]) -> None:
    disk = mount_tmpfs("size=8k")
    journal = Journal(disk / "journal.jsonl")
    journal.commit([record("00001")])
    with pytest.raises(DeviceError, match="disk full"):
        journal.commit([record(f"{number:05d}") for number in range(2, 200)])
    journal.commit([record("00002")])
    journal.close()
    assert list(Journal(disk / "journal.jsonl").records("bear")) == ["00001", "00002"]


def test_unwritable_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceError, match="cannot write"):
        Journal(tmp_path / "file" / "journal.jsonl")
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(DataError, match="expected a file of the tool's own"):
        Journal(tmp_path / "journal.jsonl")


@pytest.mark.parametrize("link", ["soft", "hard"])
def test_links_are_neither_read_nor_written(tmp_path: Path, link: str) -> None:
    precious, journal = tmp_path / "precious.txt", tmp_path / "journal.jsonl"
    precious.write_bytes(b"precious")
    if link == "soft":
        journal.symlink_to(precious)
    else:
        journal.hardlink_to(precious)
    with pytest.raises(DataError, match="expected a file of the tool's own"):
        Journal(journal)
    assert precious.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "line",
    [
        '{"video": "v", "frame": "1", "status": "given", "left": "", "right": "", "confidence": 1e400}',
        '{"video": "v", "frame": "1", "status": "given", "left": "", "right": "", "confidence": -1}',
        '{"done": "v", "counts": {"frames": 1e999}}',
        '{"file": "masks/v/1.png", "size": 1e999, "sha256": "00"}',
        '{"file": "masks/v/1.png", "size": 5, "sha256": "00", "picture": [1]}',
        '{"choice": "v", "method": "warp", "hidden": 3, "hidden_j": {}, "reason": ""}',
        "[" * 100_000,
    ],
)
def test_absurd_lines_count_as_never_written(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n", "utf-8")
    journal = Journal(path)
    assert (journal.videos(), journal.done(), journal.files(), journal.choices()) == ([], {}, {}, {})


def test_files_with_their_stamps_come_back(path: Path) -> None:
    files = {"masks/v/1.png": Stamp(5, "00", (8, 10)), "overlay/v.mp4": Stamp(7, "11")}
    journal = Journal(path)
    journal.commit([record("00001")], files=files)
    journal.close()
    assert Journal(path, foreign=True).files() == files


def test_closed_and_removed(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001")])
    journal.close()
    journal.close()
    with pytest.raises(DeviceError, match="is closed"):
        journal.commit([record("00002")])
    assert path.exists()
    journal.remove()
    journal.remove()
    assert not path.exists()


def test_many_threads_lose_nothing(path: Path) -> None:
    journal = Journal(path)

    def work(video: str) -> None:
        for number in range(50):
            journal.commit([record(f"{number:05d}", video)])

    threads = [threading.Thread(target=work, args=(f"v{index}",)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    again = Journal(path)
    assert {video: len(again.records(video)) for video in again.videos()} == {
        f"v{index}": 50 for index in range(8)
    }


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.floats(0, 1)), max_size=8))
def test_any_names_survive(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, float]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    journal = Journal(path)
    journal.commit([FrameRecord(video, frame, FrameStatus.GIVEN, "", frame, c) for video, frame, c in rows])
    journal.close()
    again = Journal(path)
    assert {video: again.records(video) for video in again.videos()} == {
        video: journal.records(video) for video in journal.videos()
    }


def test_videos_that_are_done(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001")], {"bear": {"frames": 1}, "cät": {}})
    journal.close()
    for again in (Journal(path), Journal(path, foreign=True)):
        assert again.done() == {"bear": {"frames": 1}, "cät": {}}
        assert again.records("bear") == {"00001": record("00001")}
        assert again.videos() == ["bear"]


@pytest.mark.parametrize(
    "line", ['{"done": "a"}', '{"done": "a", "counts": 3}', '{"done": "a", "counts": {"b": "c"}}']
)
def test_a_damaged_line_about_a_video_counts_as_never_written(path: Path, line: str) -> None:
    path.parent.mkdir()
    path.write_text(line + "\n")
    assert Journal(path).done() == {}


def test_the_journal_of_another_process_is_only_read(path: Path) -> None:
    journal = Journal(path)
    journal.commit([record("00001")])
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"video": "be')  # the other is writing just now
    content = path.read_bytes()
    foreign = Journal(path, foreign=True)
    assert list(foreign.records("bear")) == ["00001"]
    with pytest.raises(DeviceError, match="closed"):
        foreign.commit([record("00002")])
    assert path.read_bytes() == content
