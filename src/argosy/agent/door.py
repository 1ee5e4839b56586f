"""The way to the conductor: requests over HTTPS, frames over WebSocket or, where that does not get through, long poll.

Only the deployment's own authority is trusted.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import urlsplit

from argosy import errors
from argosy.model import wire

CONNECT_SECONDS = 10.0
GRACE_SECONDS = 2.0
POLL_SECONDS = 25.0
USER_TIMEOUT = 30_000
"""milliseconds after which bytes that nobody acknowledged break the connection (tcp(7))"""


FINAL = frozenset({502, 507})
"""The store refuses the conductor, or takes no more: an operator must act, and a guest cannot wait for that."""


class Lost(errors.Unavailable):
    """the conductor cannot be reached"""


class Refused(errors.Unauthorized):
    """the conductor refuses this guest's credential"""


class Link(Protocol):
    """Frames to and from one conductor. Every verb raises Lost once the connection is gone."""

    def send(self, frame: wire.Frame) -> None:
        """From any thread."""

    def receive(self) -> wire.Frame | None:
        """The next frame; None for one of a later protocol, or when nothing has come for a while."""

    def close(self) -> None: ...


class Door:
    """One conductor. Safe to share between threads."""

    def __init__(self, url: str, authority: str, patience: float = CONNECT_SECONDS) -> None:
        self.url = url
        self._patience = patience
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._tls = _trusting(authority)

    def trust(self, authority: str) -> None:
        """Know the conductor by these authorities from the next connection on."""
        self._tls = _trusting(authority)

    def post(self, path: str, body: Any, credential: str = "") -> Any:
        """The answer's JSON. Raises Lost, Refused, and GuestFailed for other refusals."""
        connection = self.https()
        try:
            return request(connection, path, body, credential)
        finally:
            connection.close()

    def put(self, path: str, data: bytes, credential: str) -> None:
        """Bytes that are too many for a frame. Raises as `post` does."""
        connection = self.https()
        try:
            exchange(connection, "PUT", path, data, "application/octet-stream", credential)
        finally:
            connection.close()

    def open(self, credential: str) -> Link:
        """Frames by WebSocket; by long poll when something on the way does not let it through."""
        try:
            return self._websocket(credential)
        except _NoUpgrade:
            return LongPoll(self.https(), self.https(), credential)

    def https(self) -> http.client.HTTPSConnection:
        """A connection for requests, made with the first. For one thread at a time."""
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=POLL_SECONDS + CONNECT_SECONDS, context=self._tls
        )

    def _websocket(self, credential: str) -> Link:
        from websockets.exceptions import InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        opened, dialled = contextlib.ExitStack(), self._dial()
        try:
            with _at_most(dialled, self._patience + GRACE_SECONDS):
                connection = connect(
                    f"wss://{self._host}:{self._port}/v1/guest",
                    sock=dialled,
                    ssl=self._tls,
                    server_hostname=self._host,
                    additional_headers={"Authorization": f"Bearer {credential}"},
                    compression=None,
                    proxy=None,
                    open_timeout=self._patience,
                    ping_interval=None,
                    max_size=wire.MAX_FRAME,
                )
            opened.enter_context(connection)
        except InvalidStatus as error:
            if error.response.status_code == 401:
                raise Refused from error
            raise _NoUpgrade from error
        except InvalidHandshake as error:
            raise _NoUpgrade from error
        except (OSError, TimeoutError, EOFError) as error:
            raise Lost(f"{self.url} cannot be reached: {error}") from error
        return WebSocket(connection, opened)

    def _dial(self) -> socket.socket:
        try:
            dialled = socket.create_connection((self._host, self._port), CONNECT_SECONDS)
        except OSError as error:
            raise Lost(f"{self.url} cannot be reached: {error}") from error
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT)
        return dialled


def _trusting(authority: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=authority)
    return context


@contextlib.contextmanager
def _at_most(dialled: socket.socket, seconds: float) -> Iterator[None]:
    """Break the connection when what is done on it takes longer.

    The client library gives up in time, but then waits for its reading thread, which may be inside TLS and waits for
    the conductor: for ever, when that never answers.
    """
    double = dialled.dup()  # the library takes the descriptor over
    timer = threading.Timer(seconds, _break, (double,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        double.close()


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended meanwhile
        connection.shutdown(socket.SHUT_RDWR)


class _NoUpgrade(Exception):
    """something on the way does not let WebSocket through"""


class WebSocket:
    def __init__(self, connection: Any, opened: contextlib.ExitStack) -> None:
        from websockets.exceptions import ConnectionClosed

        self._connection = connection
        self._opened = opened
        self._gone = (ConnectionClosed, OSError)

    def send(self, frame: wire.Frame) -> None:
        try:
            self._connection.send(wire.encode(frame))
        except self._gone as error:
            raise Lost(f"the connection has ended: {error}") from error

    def receive(self) -> wire.Frame | None:
        try:
            return wire.decode(self._connection.recv())
        except self._gone as error:
            raise Lost(f"the connection has ended: {error}") from error

    def close(self) -> None:
        self._opened.close()


class LongPoll:
    """Two connections: one waits for the conductor's frames, one carries ours meanwhile."""

    def __init__(
        self, polling: http.client.HTTPSConnection, sending: http.client.HTTPSConnection, credential: str
    ) -> None:
        self._polling, self._sending, self._credential = polling, sending, credential
        self._lock = threading.Lock()
        self._frames: queue.SimpleQueue[wire.Frame | None] = queue.SimpleQueue()

    def send(self, frame: wire.Frame) -> None:
        with self._lock:
            self._exchange(self._sending, f"[{wire.encode(frame)}]", 0)

    def receive(self) -> wire.Frame | None:
        if self._frames.empty():
            self._exchange(self._polling, "[]", POLL_SECONDS)
        try:
            return self._frames.get_nowait()
        except queue.Empty:
            return None

    def close(self) -> None:
        self._polling.close()
        self._sending.close()

    def _exchange(self, connection: http.client.HTTPSConnection, frames: str, wait: float) -> None:
        path = f"/v1/guest/frames?wait={wait:g}"
        try:
            told = request(connection, path, json.loads(frames), self._credential)
        except errors.GuestFailed as error:
            raise Lost(f"the conductor has ended the connection: {error}") from error
        for each in told:
            self._frames.put(wire.decode(json.dumps(each)))


def request(connection: http.client.HTTPSConnection, path: str, body: Any, credential: str) -> Any:
    """One POST. Raises Lost, Refused, and GuestFailed for other refusals."""
    return exchange(connection, "POST", path, json.dumps(body).encode(), "application/json", credential)


def exchange(  # noqa: PLR0913, PLR0917 - what HTTP has
    connection: http.client.HTTPSConnection,
    method: str,
    path: str,
    body: bytes | bytearray,
    media_type: str,
    credential: str,
) -> Any:
    headers = {"Content-Type": media_type}
    if credential:
        headers["Authorization"] = f"Bearer {credential}"
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        status, text = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise Lost(f"the conductor cannot be reached: {error!r}") from error
    return _judged(status, text, path)


def _judged(status: int, text: bytes, path: str) -> Any:
    if status == 401:
        raise Refused
    require_store(status, text)
    if status >= 500:
        raise Lost(f"the conductor answered {path} with {status}: {text[:300].decode(errors='replace')}")
    if status >= 300:
        raise errors.GuestFailed(f"the conductor answered {path} with {status}: {text[:300].decode(errors='replace')}")
    return json.loads(text or b"null")


def require_store(status: int, text: bytes) -> None:
    """Raises GuestFailed, in the conductor's words, for an answer that no further try will change. A gateway on the way
    says the like of a conductor that will be back, but not in those words.
    """
    if status not in FINAL:
        return
    with contextlib.suppress(ValueError, TypeError, KeyError):
        raise errors.GuestFailed(str(json.loads(text)["error"]))
