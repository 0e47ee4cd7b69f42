"""Each rule of the guards, request by request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.pipelines.reviewing.conftest import PORT, TOKEN, Connect, MakeOut
from vsodtool.pipelines.reviewing.guards import POLICY, Guards

HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"


class Request:
    """One request to guards around an application that answers 200 with the body that it read."""

    def __init__(self, method: str = "GET", path: str = "/api/state", **headers: str | None) -> None:
        usual: dict[str, str | None] = {"host": HOST, "x-token": TOKEN}
        if method != "GET":
            usual |= {"origin": ORIGIN, "content-type": "application/json", "content-length": "2"}
        self.headers = [
            (name.encode(), value.encode())
            for name, value in {
                **usual,
                **{key.replace("_", "-"): value for key, value in headers.items()},
            }.items()
            if value is not None
        ]
        self.method, self.path = method, path
        self.body: list[Any] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    def send(self, timeout: float = 5) -> tuple[int, dict[str, str], bytes]:
        sent: list[Any] = []

        async def receive() -> Any:
            if not self.body:
                await asyncio.sleep(60)
            return self.body.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            read = b""
            more = scope["method"] not in ("GET", "HEAD")
            while more:
                message = await receive()
                read += message.get("body", b"")
                more = message.get("more_body", False)
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": read})

        scope = {"type": "http", "method": self.method, "path": self.path, "headers": self.headers}
        guards = Guards(app, port=PORT, token=TOKEN, limit=lambda path: 100, timeout=timeout)
        asyncio.run(guards(scope, receive, send))  # type: ignore[arg-type]
        start, body = sent
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], headers, body["body"]


def status(*args: str, **headers: str | None) -> int:
    return Request(*args, **headers).send()[0]


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"[::1]:{PORT}"])
def test_its_own_names_pass(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        f"127.evil.com:{PORT}",
        f"127.0.0.1.evil.com:{PORT}",
        f"localhost.evil.com:{PORT}",
        f"evil.com:{PORT}",
        "127.0.0.1",
        f"127.0.0.1:{PORT}1",
        f"127.0.0.1:{PORT + 1}",
        f"127.0.0.2:{PORT}",
        f"0.0.0.0:{PORT}",
        "",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/state"])
def test_other_hosts_are_refused_whole_not_by_prefix(host: str | None, path: str) -> None:
    assert status("GET", path, host=host) == 421


def test_two_hosts_are_refused() -> None:
    request = Request()
    request.headers.append((b"host", b"evil.com"))
    assert request.send()[0] == 421


@pytest.mark.parametrize("token", [None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ä"])
def test_the_api_wants_the_token(token: str | None) -> None:
    assert status(x_token=token) == 401


def test_the_token_counts_in_the_header_only() -> None:
    request = Request(x_token=None, cookie=f"X-Token={TOKEN}")
    request.path = f"/api/{TOKEN}"
    assert request.send()[0] == 401


def test_the_page_itself_needs_no_token() -> None:
    assert status("GET", "/", x_token=None) == 200
    assert status("GET", "/app.js", x_token=None) == 200


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.com",
        f"http://localhost:{PORT}",
        f"https://{HOST}",
        f"{ORIGIN}/",
        "http://127.0.0.1",
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writes_want_the_pages_own_origin(method: str, origin: str | None) -> None:
    assert status(method, origin=origin) == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_writes_of_the_page_pass(method: str) -> None:
    assert status(method) == 200


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_what_a_form_can_send_is_no_write(method: str, kind: str | None) -> None:
    assert status(method, content_type=kind) == 415


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_requests_of_other_sites_are_refused(site: str) -> None:
    assert status(sec_fetch_site=site) == 403
    assert status("PUT", sec_fetch_site=site) == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_requests_of_the_page_and_of_the_address_bar_pass(site: str) -> None:
    assert status(sec_fetch_site=site) == 200


@pytest.mark.parametrize("method", ["OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_other_methods_are_refused_and_there_is_no_cors(method: str) -> None:
    code, headers, _ = Request(method, access_control_request_method="PUT").send()
    assert code == 405
    assert not [name for name in headers if name.startswith("access-control")]


def test_the_page_is_only_read() -> None:
    assert status("PUT", "/app.js") == 405


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("100", 200),
        ("101", 413),
        ("9" * 30, 413),
        ("9" * 5000, 413),
        (None, 411),
        ("-1", 411),
        ("1e1", 411),
        ("²", 411),
    ],
)
def test_the_size_of_a_body_is_known_and_limited_before_it_is_read(length: str | None, expected: int) -> None:
    request = Request("PUT", content_length=length)
    request.body = [{"type": "http.request", "body": b"", "more_body": False}]
    assert request.send()[0] == expected


def test_a_body_without_an_announced_end_is_refused() -> None:
    assert status("PUT", transfer_encoding="chunked") == 411
    assert status("GET", content_length="5") == 413


def test_a_refusal_closes_the_connection_as_the_body_is_not_read() -> None:
    code, headers, body = Request("PUT", origin=None).send()
    assert (code, headers["connection"]) == (403, "close")
    assert int(headers["content-length"]) == len(body)
    assert "Origin" in json.loads(body)["error"]


def test_a_body_that_stops_coming_is_given_up() -> None:
    request = Request("PUT", content_length="50")
    request.body = [{"type": "http.request", "body": b"half", "more_body": True}]
    code, headers, _ = request.send(timeout=0.05)
    assert (code, headers["connection"]) == (408, "close")


@pytest.mark.parametrize(
    "request_", [Request("GET", "/"), Request(), Request(host="evil.com"), Request(x_token=None)]
)
def test_every_answer_carries_the_policy(request_: Request) -> None:
    _, headers, _ = request_.send()
    assert headers["content-security-policy"] == POLICY
    assert "default-src 'none'" in POLICY
    assert "script-src 'self';" in POLICY
    assert "unsafe" not in POLICY
    for part in ("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "connect-src 'self'"):
        assert part in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"


def test_nothing_but_http_is_spoken() -> None:
    guards = Guards(lambda *_: None, port=PORT, token=TOKEN, limit=lambda path: 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(RuntimeError, match="websocket"):
        asyncio.run(guards({"type": "websocket"}, None, None))  # type: ignore[arg-type]


def test_the_guards_stand_before_the_application(make_out: MakeOut, connect: Connect) -> None:
    client = connect(make_out())
    assert client.get("/api/state").status_code == 200
    assert client.get("/api/state", **{"X-Token": "guessed"}).status_code == 401
    assert client.get("/api/state", Host="127.evil.com").status_code == 421
    answer = client.http.put("/api/v/0/flag/1", json={"flag": "ok"}, headers=client.headers)
    assert answer.status_code == 403
    assert not client.session.notes.path.exists()
