"""Objects behind URLs: which answers are asked again, and what is told of those that are not."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.s3 import Store
from vsodtool.errors import DataError, DeviceError, UsageError
from vsodtool.media.buckets import Bucket, Stored


class AnswerError(Exception):
    """As aiohttp's: a number, and the URL in its text."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status}, message='Busy', url='https://host/Forbidden/00403.png'")
        self.status = status


@pytest.mark.parametrize(
    ("status", "said", "asked"),
    [
        (401, "no right to it", 1),
        (403, "no right to it", 1),
        (410, "the service refuses", 1),
        (503, "no answer", 3),
    ],
)
def test_what_is_asked_again_is_told_by_the_answer_and_not_by_the_name(
    status: int, said: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(time, "monotonic", lambda: 50.0 * len(calls))

    def info(_: str) -> None:
        calls.append(1)
        raise AnswerError(status)

    bucket = Bucket("https://host/Forbidden/00403.png")
    bucket.__dict__["_at"] = (SimpleNamespace(info=info), "https://host/Forbidden/00403.png")
    with pytest.raises(DeviceError, match=said):
        bucket.list()
    assert len(calls) == asked


def test_an_account_that_a_library_lacks_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: Any, **__: Any) -> None:
        raise ValueError("Must provide either a connection_string or account_name with credentials!!")

    monkeypatch.setattr("fsspec.core.url_to_fs", lacking)
    with pytest.raises(DeviceError, match=r"az://team/videos: no right to it: Must provide"):
        Bucket("az://team/videos").list()


def test_objects_are_put_listed_fetched_and_deleted(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    bucket = Bucket("s3://bkt/x/")
    assert (bucket.url, bucket.name, bucket.is_http, bucket.list()) == ("s3://bkt/x", "x", False, {})
    bucket.put(tmp_path / "a", "deep/b.txt")
    listed = bucket.list()
    assert {name: stored.size for name, stored in listed.items()} == {"deep/b.txt": 5}
    copy = tmp_path / "new/b.txt"
    bucket.fetch("deep/b.txt", listed["deep/b.txt"], copy)
    assert copy.read_bytes() == b"12345"
    assert copy.stat().st_mtime == listed["deep/b.txt"].changed > 0
    assert list(Bucket("s3://bkt/x/deep/b.txt").list()) == [""]  # the URL of a file
    bucket.delete("deep/b.txt")
    bucket.delete("deep/b.txt")  # one that has gone is no error
    assert bucket.list() == {}


def test_what_vanished_or_changed_since_it_was_listed(store: Store, tmp_path: Path) -> None:
    store.client.put_object(Bucket="bkt", Key="x/a", Body=b"12345")
    bucket = Bucket("s3://bkt/x")
    with pytest.raises(DataError, match="s3://bkt/x/a: expected 6 bytes as listed, found 5"):
        bucket.fetch("a", Stored(6, 0.0), tmp_path / "a")
    with pytest.raises(DataError, match="s3://bkt/x/b: expected an object, found none"):
        bucket.fetch("b", Stored(6, 0.0), tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DeviceError, match="s3://nobodys/x: there is no such bucket"):
        Bucket("s3://nobodys/x").put(Path(__file__), "a")


def test_a_scheme_that_nobody_reads() -> None:
    with pytest.raises(UsageError, match="ftp://h/x: expected one of s3://"):
        Bucket("ftp://h/x")
