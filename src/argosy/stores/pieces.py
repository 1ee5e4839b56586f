"""Objects over a network: sent in pieces that are repeated by themselves, received on from where they broke off."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar, cast

from argosy import clock, errors
from argosy.stores.base import StoreUnreachable

PIECE_BYTES = 8 << 20
MOST_PIECES = 1_000
"""that every store takes for one object: 8 GiB"""
FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""seconds between two tries"""
T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    number: int
    """from 1"""
    tag: str
    """as the store answered"""
    bytes: int


class Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """Raises StoreUnreachable; empty: that was all, or it was cut."""

    def close(self) -> object: ...


@dataclass(frozen=True)
class Body:
    """An object, or the range of it, on its way."""

    bytes: int
    """that are to come"""
    stream: Stream


NOTHING = Body(0, io.BytesIO())
"""of what ends before it begins"""


class Uploads(Protocol):
    """What a store offers instead of streams. Raises as Store does; `whole` and `finish` Conflict besides."""

    patience: float
    """seconds that a piece is tried for"""

    def whole(self, key: str, body: bytes) -> None: ...
    def begin(self, key: str) -> str:
        """Names an upload, which nobody sees."""

    def piece(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Its tag."""

    def finish(self, key: str, upload: str, pieces: Sequence[Piece]) -> None: ...
    def abandon(self, key: str, upload: str) -> None: ...
    def fetch(self, key: str, start: int, length: int | None) -> Body:
        """NOTHING for a start at the end, or beyond."""


def patiently(act: Callable[[], T], seconds: float) -> tuple[T, bool]:
    """What comes of it, and whether it was at once. A store that is away is asked again for so long."""
    end, wait, first = clock.monotonic() + seconds, FIRST_WAIT, True
    while True:
        try:
            return act(), first
        except StoreUnreachable:
            if clock.monotonic() + wait > end:
                raise
        except errors.Conflict as error:
            if first:
                raise
            raise _Perhaps from error
        time.sleep(wait)
        wait, first = min(wait * 2, LONGEST_WAIT), False


class _Perhaps(Exception):
    """Something is there, and an earlier try whose answer was lost may be what has put it there."""


@contextmanager
def create(uploads: Uploads, key: str) -> Iterator[BinaryIO]:
    """As Store.create."""
    sending = _Sending(uploads, key)
    try:
        yield cast("BinaryIO", sending)
        sending.finish()
    except BaseException:
        sending.abandon()
        raise


class _Sending(io.RawIOBase):
    def __init__(self, uploads: Uploads, key: str) -> None:
        self._uploads, self._key = uploads, key
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self._upload = ""
        self._pieces: list[Piece] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) > PIECE_BYTES:
            self._send(PIECE_BYTES)
        return len(data)

    def finish(self) -> None:
        if self._upload:
            self._send(len(self._waiting))
        body, self._waiting = bytes(self._waiting), bytearray()
        try:
            patiently(lambda: self._finish(body), self._uploads.patience)
        except _Perhaps as error:
            if self._there() != self._digest.digest():
                raise errors.Conflict(f"{self._key} is in the store already: objects are written once") from error

    def abandon(self) -> None:
        """As far as that can be done just now: what is left of it is unseen, and goes with its prefix."""
        if self._upload:
            try:
                self._uploads.abandon(self._key, self._upload)
            except errors.ArgosyError:
                return

    def _finish(self, body: bytes) -> None:
        if self._upload:
            self._uploads.finish(self._key, self._upload, self._pieces)
        else:
            self._uploads.whole(self._key, body)

    def _send(self, size: int) -> None:
        number = len(self._pieces) + 1
        if number > MOST_PIECES:
            raise errors.TooLarge(f"an object has at most {PIECE_BYTES * MOST_PIECES} bytes")
        if not self._upload:
            self._upload, _ = patiently(lambda: self._uploads.begin(self._key), self._uploads.patience)
        body = bytes(memoryview(self._waiting)[:size])
        del self._waiting[:size]
        tag, _ = patiently(lambda: self._uploads.piece(self._key, self._upload, number, body), self._uploads.patience)
        self._pieces.append(Piece(number, tag, size))

    def _there(self) -> bytes:
        with open_(self._uploads, self._key, 0, None) as there:
            return hashlib.file_digest(there, "sha256").digest()  # type: ignore[arg-type]  # any with readinto


def open_(uploads: Uploads, key: str, start: int, length: int | None) -> BinaryIO:
    """As Store.open."""
    return cast("BinaryIO", io.BufferedReader(_Receiving(uploads, key, start, length), 1 << 20))


class _Receiving(io.RawIOBase):
    def __init__(self, uploads: Uploads, key: str, start: int, length: int | None) -> None:
        self._uploads, self._key, self._at = uploads, key, start
        body, _ = patiently(lambda: uploads.fetch(key, start, length), uploads.patience)
        self._stream: Stream | None = body.stream
        self._end = start + body.bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._at == self._end:
            return 0
        piece, _ = patiently(lambda: self._read(len(buffer)), self._uploads.patience)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._hang_up()
        super().close()

    def _read(self, size: int) -> bytes:
        """Raises StoreUnreachable when it was cut: the next call asks for the rest."""
        if self._stream is None:
            self._stream = self._uploads.fetch(self._key, self._at, self._end - self._at).stream
        try:
            piece = self._stream.read(min(size, self._end - self._at))
        except StoreUnreachable:
            self._hang_up()
            raise
        if not piece:
            self._hang_up()
            raise StoreUnreachable(f"{self._key} was cut after {self._at} bytes")
        return piece

    def _hang_up(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
