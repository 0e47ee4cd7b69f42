"""An output behind a URL: what is uploaded when, and what becomes of it where uploading fails."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.pipelines.running.staging.flow_runs import config, local, without_manifest
from tests.s3 import Store
from vsodtool.errors import DeviceError
from vsodtool.media import buckets
from vsodtool.pipelines.flow import run_flow
from vsodtool.types import Event


def test_what_was_uploaded_before_a_kill_is_kept_and_what_vanished_is_made_again(
    store: Store, frames: Path, tmp_path: Path
) -> None:
    store.upload(frames, "in")

    class KilledError(Exception):
        """Stands for the end of the process."""

    def stop(event: Event) -> None:
        if event.kind == "done":
            raise KilledError

    with pytest.raises(KilledError):
        run_flow(config("s3://bkt/in", "s3://bkt/out"), on_event=stop)
    names = set(store.tree("out"))
    assert {"journal.jsonl", "flow/a/forward/0.flo"} <= names
    assert "written.jsonl" not in names
    store.client.delete_object(Bucket="bkt", Key="out/flow/a/forward/1.flo")
    report = run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert [(video.flows, video.reused) for video in report.videos] == [(1, 1), (3, 0)]
    run_flow(config(frames, tmp_path / "out"))
    assert without_manifest(store.tree("out")) == without_manifest(local(tmp_path / "out"))


def test_an_upload_that_fails_ends_the_run_at_its_next_step(
    store: Store, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsodtool.pipelines.running.staging.mirror._PAUSE", 0.01)
    store.upload(frames, "in")
    failed = threading.Event()
    steps: list[Event] = []

    def put(bucket: buckets.Bucket, path: Path, name: str) -> None:
        del bucket, path
        if name.startswith("flow/"):
            failed.set()
            raise DeviceError("no right to write any more")

    def listen(event: Event) -> None:
        steps.append(event)
        if event.kind == "frame" and event.done:
            assert failed.wait(20)
            time.sleep(0.1)

    monkeypatch.setattr(buckets.Bucket, "put", put)
    monkeypatch.setattr(buckets.Bucket, "delete", lambda *_: None)
    with pytest.raises(DeviceError, match="no right to write any more"):
        run_flow(config("s3://bkt/in", "s3://bkt/out"), on_event=listen)
    assert {event.video for event in steps} <= {"", "a"}


@pytest.mark.parametrize(("method", "what"), [("GET", "in"), ("PUT", "out/.vsodtool-probe")])
def test_no_right_to_it(method: str, what: str, store: Store, frames: Path) -> None:
    store.upload(frames, "in")
    store.gate.denied = frozenset({method})
    with pytest.raises(DeviceError, match=f"s3://bkt/{what}: no right to it") as raised:
        run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert "a secret" not in f"{raised.value.message} {raised.value.hint}"
    store.gate.denied = frozenset()
    assert store.tree("out") == {}


def test_names_that_look_unfinished_are_uploaded_and_what_others_put_there_stays(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for index in range(3):
        picture = np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / f"in/render.tmp.{index}.png"), picture)
    store.client.put_object(Bucket="bkt", Key="out/my notes.tmp", Body=b"mine")
    run_flow(config(tmp_path / "in", "s3://bkt/out"))
    run_flow(config(tmp_path / "in", tmp_path / "out"))
    expected = {**without_manifest(local(tmp_path / "out")), "my notes.tmp": b"mine"}
    assert without_manifest(store.tree("out")) == expected
    assert "flow/in/forward/render.tmp.0.flo" in expected
