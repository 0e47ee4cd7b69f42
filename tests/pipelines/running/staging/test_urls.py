"""Runs from bucket to bucket come out as on a disk; what may be a URL, and what not."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.pipelines.conftest import Scene
from tests.pipelines.running.staging.flow_runs import config, local, without_manifest
from tests.s3 import Store
from vsodtool.config import EvaluateConfig, PseudoLabelConfig, ReviewConfig, load_config
from vsodtool.config.url import UrlPath, is_url
from vsodtool.errors import ConfigError, DeviceError, UsageError, VsodtoolError
from vsodtool.media import buckets
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.types import Event


def test_a_run_is_the_same_bytes_as_on_a_disk_and_nothing_is_made_twice(
    store: Store, frames: Path, tmp_path: Path
) -> None:
    run_flow(config(frames, tmp_path / "out"))
    store.upload(frames, "in")
    remote = config("s3://bkt/in", "s3://bkt/out/")
    report = run_flow(remote)
    assert str(report.output) == "s3://bkt/out"
    assert without_manifest(store.tree("out")) == without_manifest(local(tmp_path / "out"))
    manifest = store.tree("out")["manifest.json"].decode()
    assert '"path": "s3://bkt/in/a"' in manifest
    assert str(tmp_path) not in manifest
    assert "a secret" not in manifest
    assert list((tmp_path / "cache").glob("out-*")) == []

    store.gate.seen.clear()
    again = run_flow(remote)
    assert [video.reused for video in again.videos] == [2, 3]
    assert [path for method, path in store.gate.seen if method == "GET" and path.startswith("/bkt/in/")] == []
    assert [path for method, path in store.gate.seen if method == "PUT" and "/flow/" in path] == []


def test_a_correction_in_the_bucket_is_taken_as_on_a_disk(store: Store, tmp_path: Path) -> None:
    film = Scene([(1, 0), (0, 1), (-1, 1)] * 4).film()
    film.write_folder(tmp_path / "in")
    film.write_masks(tmp_path / "masks", range(0, 13, 4))
    corrected = cv2.dilate((film.truth[6] > 0).astype(np.uint8) * 255, np.ones((25, 25), np.uint8))
    for folder in ("in", "masks"):
        store.upload(tmp_path / folder, folder)

    def label(place: str, **more: Any) -> Any:
        given = {
            "inputs": f"{place}/in",
            "masks": f"{place}/masks",
            "output": f"{place}/out",
            "method": "warp",
        }
        return run_pseudolabel(
            load_config(PseudoLabelConfig, None, {**given, "quality": "fast", "workers": 1, **more})
        )

    label(str(tmp_path))
    label("s3://bkt")
    assert cv2.imwrite(str(tmp_path / "correction.png"), corrected)
    name = "out/corrections/in/00006.png"
    (tmp_path / name).parent.mkdir(parents=True)
    shutil.copy(tmp_path / "correction.png", tmp_path / name)
    store.client.put_object(Bucket="bkt", Key=name, Body=(tmp_path / name).read_bytes())
    before = store.tree("out")
    store.gate.seen.clear()
    label(str(tmp_path), update=True)
    report = label("s3://bkt", update=True)
    assert report.videos[0].given == 5
    after = without_manifest(store.tree("out"))
    assert after == without_manifest(local(tmp_path / "out"))
    changed = {each for each in after if each.startswith("masks/") and after[each] != before[each]}
    again = {f"masks/in/{frame:05d}.png" for frame in (5, 6, 7)}
    assert {"masks/in/00006.png"} < changed <= again  # what one mask says and the other denies may stay
    written = {path for method, path in store.gate.seen if method == "PUT" and "/masks/" in path}
    assert written == {f"/bkt/out/{each}" for each in again}


def test_a_bucket_that_is_busy_for_a_while(
    store: Store, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(buckets, "FIRST_PAUSE", 0.05)
    store.upload(frames, "in")
    store.gate.busy = 12
    run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert store.gate.busy == 0
    run_flow(config(frames, tmp_path / "out"))
    assert without_manifest(store.tree("out")) == without_manifest(local(tmp_path / "out"))


def test_a_bucket_that_stays_busy(store: Store, frames: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "PATIENCE", 0.0)
    store.gate.busy = 1000
    with pytest.raises(DeviceError, match="s3://bkt/in: no answer"):
        run_flow(config("s3://bkt/in", "s3://bkt/out"))


def test_a_single_file_and_maps_to_score(store: Store, frames: Path, tmp_path: Path) -> None:
    for folder in ("maps/v", "truth/v"):
        (tmp_path / folder).mkdir(parents=True)
        for index in range(4):
            mask = np.zeros((24, 32), np.uint8)
            mask[4:12, 4 + index : 14] = 255
            assert cv2.imwrite(str(tmp_path / folder / f"{index}.png"), mask)
    store.upload(tmp_path / "maps", "maps")
    near = EvaluateConfig(predictions=(str(tmp_path / "maps"), str(tmp_path / "truth")))
    far = replace(near, predictions=("s3://bkt/maps", str(tmp_path / "truth")))
    remote, local_ = run_evaluate(far), run_evaluate(near)
    assert [method.scores for method in remote.methods] == [method.scores for method in local_.methods]
    assert str(tmp_path / "cache") not in repr(remote)
    assert "s3://bkt/maps" in repr(remote)


@pytest.mark.parametrize("text", ["s3://bkt/x", "gs://b", "https://h/x.mp4", "S3://b"])
def test_what_is_a_url(text: str) -> None:
    path = config("a.mp4", text).output
    assert isinstance(path, UrlPath)
    assert (str(path), is_url(path)) == (text, True)


@pytest.mark.parametrize("text", ["s3:/b/x", "out/s3://b", "://x", "a b://c", "C:/x"])
def test_what_is_none(text: str) -> None:
    assert not is_url(text)
    assert not isinstance(config("a.mp4", text).output, UrlPath)


def test_urls_where_none_may_stand(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="source: expected a path or a name, found the URL 's3://bkt/out'"):
        load_config(ReviewConfig, None, {"source": "s3://bkt/out"})
    with pytest.raises(UsageError, match="ftp://h/x: expected one of s3://"):
        run_flow(config("ftp://h/x", tmp_path / "out"))
    with pytest.raises(ConfigError, match="a bucket has no locks"):
        run_flow(config("a.mp4", "s3://bkt/out", shard="1/2"))


def test_without_what_reads_it_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    monkeypatch.setenv("VSODTOOL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(UsageError, match="what reads s3:// is not installed") as raised:
        run_flow(config("s3://bkt/in", tmp_path / "out"))
    assert "vsodtool[s3]" in raised.value.hint
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)


def test_a_url_that_is_named_twice_is_fetched_once(store: Store, frames: Path) -> None:
    store.upload(frames, "in")
    events: list[Event] = []
    same = EvaluateConfig(predictions=(UrlPath("s3://bkt/in/a"),), ground_truth=UrlPath("s3://bkt/in/a/"))
    with suppress(VsodtoolError):  # noise is no truth
        run_evaluate(same, on_event=events.append)
    assert sum(event.message.startswith("fetching") for event in events) == 1
