"""Requests to a server of SFTP, asked from any thread, and what its answers mean: who must act."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import asyncssh

from argosy import errors
from argosy.stores.base import StoreRefused, StoreUnreachable

CONNECT_SECONDS, ALIVE_SECONDS, REQUEST_SECONDS = 10, 15, 120
CONNECTIONS = 4
"""at most, of a process: the server does one thing at a time on each, and to sync a disk is long"""
BLOCK = 4 << 20
FINGERPRINT = "SHA256:"
ANSWERS = (
    asyncssh.SFTPNoSuchFile,
    asyncssh.SFTPFailure,
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPOpUnsupported,
    errors.ArgosyError,
)
"""after which a connection is as good as before"""
REFUSALS = (
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPBadMessage,
    asyncssh.PermissionDenied,
    asyncssh.IllegalUserName,
    asyncssh.KeyExchangeFailed,
    asyncssh.ProtocolNotSupported,
)
Client = asyncssh.SFTPClient
Line = tuple[asyncssh.SSHClientConnection, Client]
THREAD = "sftp"
QUICK = "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
"""preferred: what processors do by themselves"""
T = TypeVar("T")

logging.getLogger("asyncssh").setLevel(logging.WARNING)  # it tells each connection and channel
logging.getLogger("asyncio").addFilter(lambda record: record.threadName != THREAD)  # that a line was cut, many times


@dataclass(frozen=True)
class Place:
    """Where, and as whom."""

    host: str
    port: int
    directory: str
    """that must exist; without a slash before it, from where a login begins"""
    prefix: str
    """before every key: empty, or ends with a slash"""
    host_key: str
    """lines of known_hosts, or fingerprints"""
    user: str
    private_key: str = field(repr=False)
    """empty: there is a password"""
    password: str = field(repr=False)


class Server:
    """A few connections that the threads of a process share."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lines: asyncio.LifoQueue[Line | None] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS):
            self._lines.put_nowait(None)

    def ask(self, act: Callable[[Client], Awaitable[T]]) -> T:
        return waited(self._ask(act))

    async def _ask(self, act: Callable[[Client], Awaitable[T]]) -> T:
        line = await self._lines.get()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                if line is None or line[0].is_closed():
                    line = None
                    line = await _connected(self._place)
                return await act(line[1])
        except BaseException as error:
            if line and not isinstance(error, ANSWERS):
                line[0].abort()
                line = None
            raise
        finally:
            self._lines.put_nowait(line)


class Stream:
    """What a file holds, from an offset to another. It keeps no connection from others."""

    def __init__(self, to: Client, file: asyncssh.SFTPClientFile, start: int, end: int) -> None:
        self._to, self._file, self._at, self._end = to, file, start, end
        self._process = os.getpid()
        self._ahead = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        if not self._ahead:
            self._ahead = memoryview(waited(self._block()))
            self._at += len(self._ahead)
        piece, self._ahead = self._ahead[:size], self._ahead[size:]
        return bytes(piece)

    def close(self) -> None:
        if self._process == os.getpid():
            asyncio.run_coroutine_threadsafe(self._file.close(), _loop())

    async def _block(self) -> bytes:
        if self._process != os.getpid():
            raise StoreUnreachable("this connection to the object store is the parent process's")
        async with asyncio.timeout(REQUEST_SECONDS):
            return await read(self._to, self._file, self._at, min(BLOCK, self._end - self._at))


async def read(to: Client, file: asyncssh.SFTPClientFile, start: int, count: int) -> bytes:
    """By many requests at once. Less than `count` bytes where the server answers with less, or the file ends."""
    size, end = to.limits.max_read_len, start + count
    asked = (file.read(min(size, end - at), at) for at in range(start, end, size))
    told = cast("list[bytes]", await together(asked))
    short = next((number for number, piece in enumerate(told) if len(piece) < size), len(told))
    return b"".join(told[: short + 1])


async def write(to: Client, file: asyncssh.SFTPClientFile, body: bytes, start: int) -> None:
    """By many requests at once."""
    size = to.limits.max_write_len
    await together(file.write(body[at : at + size], start + at) for at in range(0, len(body), size))


async def together(asked: Iterable[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Raises the first error once all have ended: nothing goes on behind whoever is told. The library's own way of
    reading and writing in parallel does not wait for the others.
    """
    told = await asyncio.gather(*asked, return_exceptions=True)
    for each in told:
        if isinstance(each, BaseException):
            raise each.with_traceback(None)
    return cast("Sequence[T]", told)


class _Known(asyncssh.SSHClient):
    """Asked for a host key that no line of known_hosts tells."""

    def __init__(self, fingerprints: str) -> None:
        self._fingerprints = fingerprints.split()

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        return key.get_fingerprint() in self._fingerprints


async def _connected(place: Place) -> Line:
    """As the place says: no configuration, key, agent or known host of the user who runs this is looked at."""
    lines = "" if place.host_key.startswith(FINGERPRINT) else place.host_key
    try:
        known = asyncssh.import_known_hosts(lines)
        keys = [asyncssh.import_private_key(place.private_key)] if place.private_key else None
    except ValueError as error:
        raise StoreRefused(f"store.host_key or the private key of the object store cannot be read: {error}") from error
    connection = await asyncssh.connect(
        place.host,
        place.port,
        config=None,
        known_hosts=known,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=[],
        client_factory=lambda: _Known(place.host_key),
        username=place.user,
        client_keys=keys,
        password=place.password or None,
        agent_path=None,
        encryption_algs=QUICK,
        connect_timeout=CONNECT_SECONDS,
        keepalive_interval=ALIVE_SECONDS,
    )
    try:
        return connection, await connection.start_sftp_client()
    except BaseException:
        connection.abort()
        raise


def waited(asked: Coroutine[Any, Any, T]) -> T:
    """Raises Store's errors."""
    with _translated():
        return asyncio.run_coroutine_threadsafe(asked, _loop()).result()


_loops: dict[int, asyncio.AbstractEventLoop] = {}
"""By process: a parent's has no thread here, but what is open in it would be closed if it were forgotten."""


def _loop() -> asyncio.AbstractEventLoop:
    """What connections live in, in a thread of its own."""
    if os.getpid() not in _loops:
        made = asyncio.new_event_loop()
        if _loops.setdefault(os.getpid(), made) is made:
            threading.Thread(target=made.run_forever, name=THREAD, daemon=True).start()
        else:
            made.close()
    return _loops[os.getpid()]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncssh.SFTPOpUnsupported as error:
        raise StoreRefused(
            f"the object store's server cannot do what it must ({error}): it needs hardlink@openssh.com and"
            " fsync@openssh.com, as OpenSSH's has them"
        ) from error
    except asyncssh.HostKeyNotVerifiable as error:
        raise StoreRefused(f"the object store's server is not the one that store.host_key tells: {error}") from error
    except REFUSALS as error:
        raise StoreRefused(f"the object store refuses us: {error}") from error
    except (asyncssh.Error, OSError) as error:
        raise StoreUnreachable(f"the object store cannot be reached: {error or type(error).__name__}") from error
