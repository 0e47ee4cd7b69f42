"""A folder becomes what a listing says, with no more transfers than that takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from vsodtool.errors import DataError
from vsodtool.media.buckets import Bucket, Stored
from vsodtool.pipelines.running.staging.copying import bring, files_of, is_whole
from vsodtool.types import Event

THERE = {"a.txt": Stored(3, 1000.0), "deep/b.txt": Stored(5, 2000.0)}


@dataclass
class Shelf:
    """Fetches objects of any content, and counts them."""

    url: str = "s3://bkt/x"
    fetched: list[str] = field(default_factory=list)

    def fetch(self, name: str, stored: Stored, path: Path) -> None:
        self.fetched.append(name)
        put(path, stored)


def put(path: Path, stored: Stored) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(stored.size))
    os.utime(path, (stored.changed, stored.changed))


def brought(there: dict[str, Stored], copy: Path) -> tuple[list[str], list[Event]]:
    """What was fetched, and told."""
    shelf, events = Shelf(), list[Event]()
    bring(cast(Bucket, shelf), there, copy, events.append)
    return sorted(shelf.fetched), events


def test_all_is_fetched_once(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert not is_whole(THERE, copy)
    fetched, events = brought(THERE, copy)
    assert fetched == ["a.txt", "deep/b.txt"]
    assert [event.message for event in events] == ["fetching 2 files (0.0 MB) of s3://bkt/x"]
    assert is_whole(THERE, copy)
    assert brought(THERE, copy) == ([], [])


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("a.txt", Stored(4, 1000.0)),  # another size
        ("a.txt", Stored(3, 1001.0)),  # changed since
        ("a.txt", Stored(3, 0.0)),  # the service does not say when: it may have changed
        ("new.txt", Stored(1, 1.0)),
    ],
)
def test_only_what_changed_is_fetched_again(name: str, stored: Stored, tmp_path: Path) -> None:
    brought(THERE, tmp_path)
    now = {**THERE, name: stored}
    assert not is_whole(now, tmp_path)
    assert brought(now, tmp_path)[0] == [name]


def test_what_has_gone_there_goes_here(tmp_path: Path) -> None:
    brought(THERE, tmp_path)
    left = {"a.txt": THERE["a.txt"]}
    assert not is_whole(left, tmp_path)
    assert brought(left, tmp_path) == ([], [])
    assert [path.name for path in files_of(tmp_path)] == ["a.txt"]


def test_a_url_that_is_a_file_and_one_that_is_empty(tmp_path: Path) -> None:
    assert brought({"": Stored(2, 5.0)}, tmp_path / "clip.mp4")[0] == [""]
    assert (tmp_path / "clip.mp4").stat().st_size == 2
    brought({}, tmp_path / "out")
    assert (tmp_path / "out").is_dir()


def test_a_failure_in_one_transfer_is_raised(tmp_path: Path) -> None:
    class Torn(Shelf):
        def fetch(self, name: str, stored: Stored, path: Path) -> None:
            raise DataError("expected 3 bytes as listed, found 2")

    torn: Any = Torn()
    with pytest.raises(DataError, match="as listed"):
        bring(torn, THERE, tmp_path, lambda _: None)
    assert not is_whole(THERE, tmp_path)


def test_locks_and_unfinished_files_are_nobodys(tmp_path: Path) -> None:
    for name in (".vsodtool.lock", ".vsodtool-spill-1/frames", "kept.tmp", "masks/0.png"):
        put(tmp_path / name, Stored(1, 1.0))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in files_of(tmp_path)) == [
        "kept.tmp",
        "masks/0.png",
    ]
