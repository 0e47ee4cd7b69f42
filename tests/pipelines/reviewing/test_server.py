"""The server as it listens: on the loopback address only, patient but not for ever."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.pipelines.reviewing.conftest import Connect, MakeOut
from vsodtool.errors import DeviceError
from vsodtool.media.masks.reading import read_raw_mask
from vsodtool.pipelines.reviewing.server import PatientProtocol, ReviewServer


@pytest.fixture
def server(make_out: MakeOut, connect: Connect) -> Iterator[ReviewServer]:
    made = ReviewServer(connect(make_out()).session)
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join(30)
    assert not thread.is_alive()


def ask(server: ReviewServer, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_it_answers_the_page_and_tells_nothing_of_itself(server: ReviewServer) -> None:
    answer = ask(server, "/")
    assert (answer.status, answer.version, answer.getheader("Server")) == (200, 11, None)
    assert ask(server, "/api/state").status == 401
    assert ask(server, "/api/state", **{"X-Token": server.token}).status == 200


def test_the_token_is_long_and_stands_behind_the_hash(server: ReviewServer) -> None:
    before, _, token = server.address.partition("#")
    assert before == f"http://127.0.0.1:{server.port}/"
    assert token == server.token
    assert len(token) >= 43  # 256 bits


def test_it_listens_on_the_loopback_address_only(server: ReviewServer) -> None:
    assert server._socket.getsockname() == ("127.0.0.1", server.port)


def test_a_port_that_is_taken_is_told(server: ReviewServer) -> None:
    with pytest.raises(DeviceError, match=f"cannot listen on port {server.port}"):
        ReviewServer(None, server.port)  # type: ignore[arg-type]


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHo"])
def test_who_says_nothing_whole_is_hung_up_on(
    said: bytes, make_out: MakeOut, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientProtocol, "patience", 0.1)
    made = ReviewServer(connect(make_out()).session)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", made.port), timeout=30) as connection:
            connection.sendall(said)
            assert connection.recv(100) == b""
    finally:
        made.stop()
        thread.join(30)


def test_half_a_body_changes_nothing(server: ReviewServer, tmp_path: Path) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            f"PUT /api/v/0/mask/1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nX-Token: {server.token}\r\n"
            f"Origin: http://127.0.0.1:{server.port}\r\nContent-Type: application/octet-stream\r\n"
            "If-Match: x\r\nContent-Length: 768\r\n\r\nhalf".encode()
        )
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    assert not (tmp_path / "out" / "corrections").exists()


SAVE_FOREVER = """
import sys
from pathlib import Path
import numpy as np
from vsodtool.pipelines.reviewing.folder import open_folder
from vsodtool.pipelines.reviewing.session import Session
with Session(open_folder(Path(sys.argv[1]))) as session:
    masks = session.video(0).masks
    for turn in range(100000):
        if turn == 1:  # what is looked for lies there, however slow the machine is
            print("ready", flush=True)
        masks.save("00001", np.full((24, 32), turn % 2, np.uint16), masks.read("00001").etag)
        session.notes.set("clip", "00001", ("ok", "bad")[turn % 2], "")
"""


def test_a_server_that_is_killed_while_saving_leaves_the_old_or_the_new_file(
    make_out: MakeOut, connect: Connect
) -> None:
    out = make_out()
    for turn in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", SAVE_FOREVER, str(out.root)], stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.05 + 0.03 * turn)
            os.kill(process.pid, signal.SIGKILL)
        values = np.unique(read_raw_mask(out.correction(1)).values)
        assert values.tolist() in ([0], [1])
    client = connect(out)
    assert client.get("/api/state").json()["videos"][0]["flags"]["1"][0] in ("ok", "bad")
    ids, etag = client.mask(1)
    assert client.put_mask(1 - ids, etag).status_code == 200
