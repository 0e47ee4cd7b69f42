"""What was fetched once: its bound, its changes, and several processes at it."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.pipelines.running.staging.flow_runs import config
from tests.s3 import Store
from vsodtool.errors import ConfigError, DataError, DeviceError
from vsodtool.media.buckets import Bucket
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.running.staging import file_lock
from vsodtool.pipelines.running.staging.cache import Cache
from vsodtool.types import Event


def test_nothing_behind_the_url(store: Store) -> None:
    with pytest.raises(DataError, match="s3://bkt/none: expected a file or files below it, found none"):
        run_flow(config("s3://bkt/none", "s3://bkt/out"))


def test_an_input_that_changed_is_fetched_again_and_refused(
    store: Store, frames: Path, tmp_path: Path
) -> None:
    store.upload(frames, "in")
    run_flow(config("s3://bkt/in", "s3://bkt/out"))
    picture = np.zeros((24, 32, 3), np.uint8)
    assert cv2.imwrite(str(frames / "a/1.png"), picture)
    store.client.put_object(Bucket="bkt", Key="in/a/1.png", Body=(frames / "a/1.png").read_bytes())
    with pytest.raises(DataError, match=r"the video 'a' \(s3://bkt/in/a\) has changed"):
        run_flow(config("s3://bkt/in", "s3://bkt/out"))


def test_a_cache_that_is_too_small_and_one_that_forgets(
    store: Store, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upload(frames / "a", "in/a")
    store.upload(frames / "b", "in/b")
    monkeypatch.setenv("VSODTOOL_CACHE_GB", "0.000001")
    with pytest.raises(DeviceError, match="do not fit into the cache"):
        run_flow(config("s3://bkt/in", tmp_path / "out"))
    monkeypatch.setenv("VSODTOOL_CACHE_GB", "0.000012")  # one of them, not both
    run_flow(config("s3://bkt/in/a", tmp_path / "a"))
    run_flow(config("s3://bkt/in/b", tmp_path / "b"))
    assert [path.name for path in (tmp_path / "cache/inputs").glob("*/*") if path.is_dir()] == ["b"]
    monkeypatch.setenv("VSODTOOL_CACHE_GB", "much")
    with pytest.raises(ConfigError, match="VSODTOOL_CACHE_GB: expected a number, found 'much'"):
        Cache.of_environment()


def test_two_runs_read_one_url_at_the_same_time(store: Store, frames: Path, tmp_path: Path) -> None:
    store.upload(frames, "in")
    cache = Cache(tmp_path / "cache", 1e9)
    events: list[Event] = []
    with (
        cache.fetched(Bucket("s3://bkt/in"), events.append) as first,
        cache.fetched(Bucket("s3://bkt/in"), events.append) as second,
    ):
        assert first == second
    assert len(events) == 1


def test_an_entry_that_another_process_throws_away_is_made_again(
    store: Store, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.upload(frames, "in")
    cache, hold, thrown = Cache(tmp_path / "cache", 1e9), file_lock.hold, []

    def throw(lock: Any, **how: Any) -> bool:
        if not thrown:
            thrown.append(shutil.rmtree(Path(lock.name).parent))
        return hold(lock, **how)

    monkeypatch.setattr("vsodtool.pipelines.running.staging.cache.hold", throw)
    with cache.fetched(Bucket("s3://bkt/in"), lambda _: None) as copy:
        assert (copy / "a/0.png").is_file()


def test_a_cache_on_a_disk_that_knows_no_locks(
    store: Store, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unknown)
    store.upload(frames, "in")
    report = run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert [video.flows for video in report.videos] == [2, 3]
