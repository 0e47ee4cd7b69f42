"""An S3 on the loopback address that can be ill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

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
