"""Objects of a store by way of the conductor's door: over a connection that is kept, for as long as it takes.

A conductor or a store that is away is waited for: what was half sent is sent again, what was half received is gone on
with where it broke off.
"""

from __future__ import annotations

import http.client
import io
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from argosy import clock, errors
from argosy.agent import boot
from argosy.agent.door import Door, Lost, Refused, exchange, require_store

log = logging.getLogger(__name__)

PATIENCE = 600.0
"""seconds that one object is tried for"""
FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
"""seconds between two tries"""

T = TypeVar("T")


class Uplink:
    """One command's way to the store. For one thread at a time."""

    def __init__(self, directory: Path, command: str, patience: float = PATIENCE, door: str = "objects") -> None:
        told = boot.boot(directory)
        self._doors = [Door(url, told.authority) for url in told.conductors]
        self._credential = directory / "credential"
        self._command = command
        self._patience = patience
        self._door = door
        """which of the doors for objects"""
        self._turn = 0
        self._line: http.client.HTTPSConnection | None = None

    def put(self, place: str, data: bytes | bytearray) -> None:
        """Stored when this returns. Raises Lost, Refused, GuestFailed."""
        self._patiently(lambda: self._put(place, data))

    def get(self, place: str) -> BinaryIO:
        """The object, to be read before anything else is asked for. Raises NotFound, and likewise; so does `read`."""
        return _Arriving(self, place)

    def begin(self, place: str, offset: int) -> http.client.HTTPResponse:
        """The object from an offset on."""
        return self._patiently(lambda: self._begin(place, offset))

    def hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _put(self, place: str, data: bytes | bytearray) -> None:
        exchange(self._connected(), "PUT", self._path(place), data, "application/octet-stream", self._secret())

    def _begin(self, place: str, offset: int) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self._secret()}", "Range": f"bytes={offset}-"}
        connection = self._connected()
        try:
            connection.request("GET", self._path(place), headers=headers)
            response = connection.getresponse()
            if response.status == 200:
                _skip(response, offset)
        except (OSError, http.client.HTTPException) as error:
            raise Lost(f"the conductor cannot be reached: {error!r}") from error
        return _judged(response, place, offset)

    def _patiently(self, act: Callable[[], T]) -> T:
        end, wait = clock.monotonic() + self._patience, FIRST_WAIT
        while True:
            try:
                return act()
            except (Lost, Refused) as error:  # refused: the credential may have become another just now
                self.hang_up()
                self._turn += 1
                if clock.monotonic() + wait > end or (isinstance(error, Refused) and wait >= LONGEST_WAIT):
                    raise
                log.warning("%s; trying again in %.1f s", error.message, wait)
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _connected(self) -> http.client.HTTPSConnection:
        if self._line is None:
            self._line = self._doors[self._turn % len(self._doors)].https()
        return self._line

    def _path(self, place: str) -> str:
        return f"/v1/guest/{self._door}/{place}{'&' if '?' in place else '?'}command={quote(self._command)}"

    def _secret(self) -> str:
        """Read each time: it may be rotated meanwhile."""
        try:
            return self._credential.read_text().strip()
        except OSError as error:
            raise Lost(f"{self._credential} cannot be read: {error}") from error


class _Arriving(io.RawIOBase, BinaryIO):
    """An object on its way. Whoever leaves it before its end costs the connection."""

    def __init__(self, uplink: Uplink, place: str) -> None:
        self._uplink, self._place = uplink, place
        self._at = 0
        self._response = uplink.begin(place, 0)

    def read(self, size: int = -1) -> bytes:
        while True:
            try:
                piece = self._response.read(None if size < 0 else size)
                if piece or not size or not self._response.length:
                    break
            except (OSError, http.client.HTTPException) as error:
                log.warning("%s was cut after %d bytes: %r", self._place, self._at, error)
            self._uplink.hang_up()
            self._response = self._uplink.begin(self._place, self._at)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        if not self._response.isclosed():
            self._uplink.hang_up()
        super().close()


def _skip(response: http.client.HTTPResponse, count: int) -> None:
    """Over what a door that knows no ranges sends again."""
    while count and (piece := response.read(min(count, 1 << 20))):
        count -= len(piece)


def _judged(response: http.client.HTTPResponse, place: str, offset: int) -> http.client.HTTPResponse:
    if response.status in (200, 206):
        return response
    body = response.read()
    text = body[:300].decode(errors="replace")
    if response.status == 401:
        raise Refused
    require_store(response.status, body)
    if response.status >= 500:
        raise Lost(f"the conductor answered for {place} with {response.status}: {text}")
    if response.status == 404:
        raise errors.NotFound(f"{place} is not in the store")
    raise errors.GuestFailed(f"the conductor answered for {place} from {offset} on with {response.status}: {text}")
