"""What is asked of a Ray cluster before anything runs on it, and what each worker gets."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from vsodtool.config import FlowConfig
from vsodtool.errors import DeviceError, UsageError
from vsodtool.pipelines.flow import run_flow
from vsodtool.pipelines.running.ray_cluster import share_out


def test_without_ray_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="not installed") as raised:
        run_flow(FlowConfig(inputs=("in",), output=tmp_path / "out", engine="ray"))
    assert "vsodtool[ray]" in raised.value.hint


def answer_once(server: socket.socket) -> None:
    with server.accept()[0] as connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(1000)


@pytest.mark.parametrize("answers", [False, True], ids=["nobody", "somebody else"])
def test_no_cluster_at_the_address(tmp_path: Path, answers: bool) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'vsodtool[ray]'")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        if answers:
            taken.listen()
            threading.Thread(target=answer_once, args=(taken,)).start()
        options = FlowConfig(
            inputs=("in",),
            output=tmp_path / "out",
            engine="ray",
            ray_address=f"127.0.0.1:{port}",
        )
        with pytest.raises(DeviceError, match=f"no Ray cluster at '127.0.0.1:{port}'"):
            run_flow(options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("there", "workers", "device", "expected"),
    [
        ({"CPU": 8.0}, 0, "cpu", "8 workers of 1 core each"),
        ({"CPU": 8.0}, 3, "cpu", "3 workers of 1 core each"),
        ({"CPU": 32.0, "GPU": 4.0}, 0, "cuda", "4 workers of 8 cores and a GPU each"),
        ({"CPU": 2.0, "GPU": 4.0}, 1, "cuda", "1 worker of 1 core and a GPU each"),
    ],
)
def test_what_each_worker_gets(there: dict[str, float], workers: int, device: str, expected: str) -> None:
    assert str(share_out(there, workers, device)) == expected


def test_a_gpu_is_not_replaced() -> None:
    with pytest.raises(DeviceError, match="no GPU"):
        share_out({"CPU": 8.0}, 0, "cuda")
