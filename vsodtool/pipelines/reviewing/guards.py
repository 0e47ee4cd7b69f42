"""What every request has to pass before it is answered, and what every answer carries.

The page and its server speak with each other only, although any site that the user visits can send requests
to the loopback address. So: the exact host (against DNS rebinding), a token that only the page knows (against
other users and other sites), for writes the page's own origin and a method or type that no form can send, a
limit of size that is known before the body is read, and a policy that lets the page load nothing from
elsewhere. Pure ASGI, so that each rule can be tested request by request.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Iterator

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vsodtool.checks import whole_number

TOKEN_HEADER = "X-Token"
BODY_TIMEOUT = 30.0  # seconds between two pieces of a body
_READING = frozenset({"GET", "HEAD"})
_WRITING = frozenset({"PUT", "POST", "DELETE"})
_TYPES = frozenset({"application/octet-stream", "application/json"})
_SAME_SITE = frozenset({"same-origin", "none"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


class _LateError(Exception):
    """A body that does not come."""


class Guards:
    """Middleware around the application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        port: int,
        token: str,
        limit: Callable[[str], int],
        timeout: float = BODY_TIMEOUT,
    ) -> None:
        """Guard an application.

        Args:
            app: the application.
            port: that the server listens on.
            token: that requests to /api must carry.
            limit: the largest body in bytes that may be sent to a path.
            timeout: seconds that a piece of a body may take.
        """
        self._app, self._token, self._limit, self._timeout = app, token.encode(), limit, timeout
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"expected a request over HTTP, found {scope['type']}")
        headers = Headers(scope=scope)
        refusal = next(self._broken(scope["method"], scope["path"], headers), None)
        started = False

        async def carry(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        if refusal is not None:
            await _refuse(carry, *refusal)
            return
        try:
            await self._app(scope, self._timed(receive), carry)
        except _LateError:
            if not started:
                await _refuse(carry, 408, "the body did not come in time")

    def _broken(self, method: str, path: str, headers: Headers) -> Iterator[tuple[int, str]]:
        """Status and reason of each rule that a request breaks; only the first is of interest, or valid."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            yield 421, "this server is known as 127.0.0.1 and localhost, at its own port, only"
        if method not in _READING | _WRITING:
            yield 405, "expected GET, HEAD, PUT, POST or DELETE"
        if not path.startswith("/api/"):
            if method in _WRITING:
                yield 405, "expected GET or HEAD"
            return
        if headers.get("sec-fetch-site", "none") not in _SAME_SITE:
            yield 403, "the request comes from another site"
        if not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token):
            yield 401, "expected the token of the address that the command printed"
        if method in _WRITING:
            yield from self._broken_by_write(method, path, headers)
        elif headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
            yield 413, "expected no body"

    def _broken_by_write(self, method: str, path: str, headers: Headers) -> Iterator[tuple[int, str]]:
        if headers.get("origin") != f"http://{headers['host']}":
            yield 403, "expected the page's own Origin"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if method != "DELETE" and kind not in _TYPES:
            yield 415, "expected application/octet-stream or application/json"
        length = headers.get("content-length", "0" if method == "DELETE" else "")
        if not (length.isascii() and length.isdigit()) or "transfer-encoding" in headers:
            yield 411, "expected a Content-Length"
        number = whole_number(length)
        if number is None or number > self._limit(path):
            yield 413, f"expected at most {self._limit(path)} bytes"

    def _timed(self, receive: Receive) -> Receive:
        """As `receive`, but a body that stops coming is given up."""
        whole = False

        async def timed() -> Message:
            nonlocal whole
            if whole:  # waits for the reader to go, however long it stays
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), self._timeout)
            except TimeoutError as error:
                raise _LateError from error
            whole = not message.get("more_body", False)
            return message

        return timed


async def _refuse(send: Send, status: int, reason: str) -> None:
    """Answer with a reason, and close: the body, if there is one, is never read."""
    body = json.dumps({"error": reason}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
