"""The server of the page: on the loopback address, at a port of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import secrets
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from vsodtool.errors import DeviceError
from vsodtool.pipelines.reviewing.app import make_app
from vsodtool.pipelines.reviewing.session import Session

ADDRESS = "127.0.0.1"
SOCKET_TIMEOUT = 30.0  # seconds that a connection may take to say what it wants
_CONNECTIONS = 64  # at once; a browser opens six


class ReviewServer:
    """A bound server; its port is known before it runs."""

    def __init__(self, session: Session, port: int = 0, token: str = "") -> None:
        """Take the port.

        Args:
            session: what is looked at.
            port: 0 is any that is free.
            token: that the page knows already; a new one if "".

        Raises:
            DeviceError: the port is taken or may not be used.
        """
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((ADDRESS, port))
            self._socket.listen(_CONNECTIONS)  # from now on a browser that comes early waits
        except OSError as error:
            self._socket.close()
            raise DeviceError(
                f"cannot listen on port {port} of {ADDRESS}: {error.strerror}",
                "leave --port away, or choose another",
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self.token = token or secrets.token_urlsafe(32)
        app = make_app(session, port=self.port, token=self.token)
        config = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)

    @property
    def address(self) -> str:
        """What the browser opens: the token is in the fragment, which no browser sends or logs."""
        return f"http://{ADDRESS}:{self.port}/#{self.token}"

    def run(self) -> None:
        """Serve until `stop`, or until the process is interrupted; returns then, too."""
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except KeyboardInterrupt:
            return
        finally:
            self._socket.close()

    def stop(self) -> None:
        """End `run`; callable from another thread."""
        self._server.should_exit = True


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes a connection on which no whole request comes in time."""

    patience = SOCKET_TIMEOUT
    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._closing = self.loop.call_later(self.patience, transport.close)

    def data_received(self, data: bytes) -> None:
        """Wait on only while the head of a request is not there."""
        super().data_received(data)
        if self._closing is not None and self.cycle is not None:
            self._closing.cancel()
            self._closing = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        if self._closing is not None:
            self._closing.cancel()
        super().connection_lost(exc)
