"""URLs as inputs and outputs: an S3 on the loopback address that can be ill, and what comes out of it."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from tests.pipelines.conftest import Scene
from vsodtool.config import EvaluateConfig, FlowConfig, PseudoLabelConfig, ReviewConfig, load_config
from vsodtool.config.url import UrlPath, is_url
from vsodtool.errors import ConfigError, DataError, DeviceError, UsageError, VsodtoolError
from vsodtool.media import buckets
from vsodtool.media.buckets import Bucket
from vsodtool.pipelines.evaluate import run_evaluate
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.pseudolabel import run_pseudolabel
from vsodtool.pipelines.running import staging
from vsodtool.pipelines.running.staging import Cache
from vsodtool.types import Event

DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
SLOW = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
Start = Callable[[str, list[tuple[str, str]]], Any]


@dataclass
class Gate:
    """What stands before the server: answers some requests itself."""

    app: Any
    busy: int = 0  # requests that are yet to be answered by 503
    denied: frozenset[str] = frozenset()  # methods
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start: Start) -> Any:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        with self.lock:
            self.seen.append((method, path))
            busy, self.busy = self.busy > 0, max(0, self.busy - 1)
        if busy or method in self.denied:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down" if busy else "403 Forbidden", [("Content-Type", "application/xml")])
            return [SLOW if busy else DENIED]
        return self.app(environ, start)


@dataclass
class Store:
    """A bucket, and the gate before it."""

    gate: Gate
    client: Any

    def tree(self, prefix: str) -> dict[str, bytes]:
        listed = self.client.list_objects_v2(Bucket="bkt", Prefix=prefix + "/").get("Contents", [])
        return {
            key[len(prefix) + 1 :]: self.client.get_object(Bucket="bkt", Key=key)["Body"].read()
            for key in (each["Key"] for each in listed)
        }

    def upload(self, folder: Path, prefix: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder).as_posix()}"
                self.client.put_object(Bucket="bkt", Key=key, Body=path.read_bytes())


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Gate, str]]:
    needs = "needs S3 and its imitation: pip install 'vsodtool[s3]' 'moto[server]'"
    pytest.importorskip("s3fs", reason=needs)
    moto = pytest.importorskip("moto.server", reason=needs)
    from werkzeug.serving import make_server

    gate = Gate(moto.DomainDispatcherApplication(moto.create_backend_app))
    running = make_server("127.0.0.1", 0, gate, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield gate, f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def store(server: tuple[Gate, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    import boto3
    import s3fs

    gate, url = server
    gate.busy, gate.denied = 0, frozenset()
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "VSODTOOL_CACHE": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="bkt")
    gate.seen.clear()
    yield Store(gate, client)
    gate.busy, gate.denied = 0, frozenset()
    for each in client.list_objects_v2(Bucket="bkt").get("Contents", []):
        client.delete_object(Bucket="bkt", Key=each["Key"])
    client.close()
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    for name, length in {"a": 3, "b": 4}.items():
        (tmp_path / "in" / name).mkdir(parents=True)
        for index in range(length):
            picture = np.random.default_rng(index).integers(0, 256, (24, 32, 3), dtype=np.uint8)
            assert cv2.imwrite(str(tmp_path / f"in/{name}/{index}.png"), picture)
    return tmp_path / "in"


def config(source: object, out: object, **more: Any) -> FlowConfig:
    given = {"inputs": str(source), "output": str(out), "quality": "fast", "workers": 1, **more}
    return load_config(FlowConfig, None, given)


def local(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def without_manifest(tree: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in tree.items() if name != "manifest.json"}


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


def test_a_correction_in_the_bucket_is_taken_as_on_a_disk(store: Store, tmp_path: Path) -> None:
    film = Scene([(1, 0), (0, 1), (-1, 1)] * 4).film()
    film.write_folder(tmp_path / "in")
    film.write_masks(tmp_path / "masks", range(0, 13, 4))
    corrected = np.zeros(film.frames[0].shape[:2], np.uint8)
    corrected[10:30, 10:30] = 255
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
    assert changed == {f"masks/in/{frame:05d}.png" for frame in (5, 6, 7)}
    written = {path for method, path in store.gate.seen if method == "PUT" and "/masks/" in path}
    assert written == {f"/bkt/out/{each}" for each in changed}


def test_an_upload_that_fails_ends_the_run_at_its_next_step(
    store: Store, frames: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsodtool.pipelines.running.staging._PAUSE", 0.01)
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


@pytest.mark.parametrize(("method", "what"), [("GET", "in"), ("PUT", "out/.vsodtool-probe")])
def test_no_right_to_it(method: str, what: str, store: Store, frames: Path) -> None:
    store.upload(frames, "in")
    store.gate.denied = frozenset({method})
    with pytest.raises(DeviceError, match=f"s3://bkt/{what}: no right to it") as raised:
        run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert "a secret" not in f"{raised.value.message} {raised.value.hint}"
    store.gate.denied = frozenset()
    assert store.tree("out") == {}


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


def test_a_url_that_is_named_twice_is_fetched_once(store: Store, frames: Path) -> None:
    store.upload(frames, "in")
    events: list[Event] = []
    same = EvaluateConfig(predictions=(UrlPath("s3://bkt/in/a"),), ground_truth=UrlPath("s3://bkt/in/a/"))
    with suppress(VsodtoolError):  # noise is no truth
        run_evaluate(same, on_event=events.append)
    assert sum(event.message.startswith("fetching") for event in events) == 1


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
    cache, hold, thrown = Cache(tmp_path / "cache", 1e9), staging._hold, []

    def throw(lock: Any, **how: Any) -> bool:
        if not thrown:
            thrown.append(shutil.rmtree(Path(lock.name).parent))
        return hold(lock, **how)

    monkeypatch.setattr(staging, "_hold", throw)
    with cache.fetched(Bucket("s3://bkt/in"), lambda _: None) as copy:
        assert (copy / "a/0.png").is_file()


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


def test_a_cache_on_a_disk_that_knows_no_locks(
    store: Store, frames: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unknown)
    store.upload(frames, "in")
    report = run_flow(config("s3://bkt/in", "s3://bkt/out"))
    assert [video.flows for video in report.videos] == [2, 3]
