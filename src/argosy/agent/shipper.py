"""Brings the engine's log to the store while it is written: every few seconds what is new, as sealed chunks.

The spool is the engine's own files: it keeps them until they are safe elsewhere. What does not fit into the room that
they may take is given up, and never the engine: the stream has a gap then, nothing of it is shipped any more, and the
control plane begins another one. How far it came is on disk; the conductor knows it too, and has the last word.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from argosy import clock, errors
from argosy.agent import boot, room
from argosy.agent.door import Lost, exchange
from argosy.agent.guest import Guest
from argosy.agent.memory import give_back
from argosy.engines import files
from argosy.engines.archiving import LogFile, Moment, PointInTime
from argosy.model.guest import Site
from argosy.stores import chunks
from argosy.stores.chunks import CHUNK_BYTES, NONCE, Head
from argosy.stores.gcm import Gcm

log = logging.getLogger(__name__)

BUSY_SECONDS = 60.0
"""that an order waits for a chunk under way"""
MUCH = 256 << 10
"""bytes of log whose way through the agent leaves it larger than it was"""
NO_SERVER_BELOW = 20
"""One part in so many of the volume stays free of log, whatever it may take."""


@dataclass(frozen=True)
class Order:
    """What the control plane wants."""

    stream: int
    key: str
    """hex"""
    interval: float
    """seconds between two looks"""
    keep_bytes: int
    """of log that the engine may keep for us"""


@dataclass
class Place:
    """How far a stream is."""

    stream: int = 0
    shipped: dict[str, int] = field(default_factory=dict)
    """file -> bytes of it that are in the store"""
    lost: str = ""
    """the file that was given up before it was shipped"""


@dataclass(frozen=True)
class Piece:
    file: LogFile
    offset: int
    bytes: int


class Shipper:
    """Safe to share between threads."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._orders, self._places = guest.directory / "archive.json", guest.directory / "archive.place"
        told = _load(self._orders)
        self._order = Order(**told) if told else None
        self._place = _placed(_load(self._places), self._order)
        self._lock = threading.Lock()
        self._due = threading.Event()
        self._line: http.client.HTTPSConnection | None = None
        self._site: Site | None = None
        self._driver: PointInTime | None = None
        self._backlog, self._since, self._latest = 0, clock.monotonic(), 0.0
        """bytes that are not shipped; since when there are some; up to when everything is"""

    def run(self) -> None:
        while True:
            try:
                self.look()
            except errors.ArgosyError as error:
                log.warning("the log could not be shipped: %s", error.message)
            except Exception:
                log.exception("the log could not be shipped")
            order = self._order
            self._due.wait(order.interval if order else None)
            self._due.clear()

    def begin(self, order: Order) -> None:
        """Ship from now on; when this returns the engine keeps what it writes. A stream that is under way goes on."""
        with self._held():
            driver = self._source()
            if self._place.stream != order.stream:
                driver.log_give_up(0)
                self._keep(Place(order.stream))
            driver.log_files()
            files.write(self._orders, json.dumps(asdict(order)))
            self._order = order
        self._due.set()

    def end(self) -> None:
        """Ship nothing any more; the engine keeps nothing for us."""
        with self._held():
            self._order = None
            self._orders.unlink(missing_ok=True)
            self._source().log_give_up(0)

    def metrics(self) -> Mapping[str, float]:
        """For heartbeats: how it goes."""
        order = self._order
        if order is None:
            return {}
        return {
            "archive_stream": float(order.stream),
            "archive_backlog_bytes": float(self._backlog),
            "archive_backlog_seconds": round(clock.monotonic() - self._since, 1) if self._backlog else 0.0,
            "archive_latest": self._latest,
            "archive_lost": float(bool(self._place.lost)),
        }

    def look(self) -> None:
        """Ship what is new. Raises what stands in the way; the next look goes on."""
        with self._held():
            order = self._order
            if order is None or self._place.lost:
                return
            driver, asked = self._source(), clock.now()
            moment = _moment(driver)
            pieces = self._new(driver, driver.log_files())
            self._note(sum(each.bytes for each in pieces))
            if self._place.lost or self._gives_up(driver, order):
                return
            for each in pieces:
                told = (asked, moment) if each is pieces[-1] else (None, Moment({}, None))
                if not self._ship(driver, order, each, *told):
                    return
            self._note(0)
            self._latest = asked
        if sum(each.bytes for each in pieces) > MUCH:
            give_back()

    # --- what there is ---

    def _new(self, driver: PointInTime, found: Sequence[LogFile]) -> Sequence[Piece]:
        """In pieces that make one chunk each. What is safe and closed the engine may forget."""
        shipped = self._place.shipped = {
            each.name: self._place.shipped[each.name] for each in found if each.name in self._place.shipped
        }
        for each in found:
            if shipped.get(each.name, 0) > each.size or not each.path.exists():
                self._lose(driver, each.name)
            elif each.closed and shipped.get(each.name) == each.size:
                driver.log_shipped(each.name, each.size)
        return [piece for each in found for piece in _pieces(each, shipped.get(each.name))]

    def _lose(self, driver: PointInTime, name: str) -> None:
        """The stream has a gap: nothing more of it is of use, and the engine need keep nothing."""
        log.error("the log has a gap", extra={"file": name})
        driver.log_give_up(0)
        self._keep(Place(self._place.stream, lost=name))

    def _note(self, backlog: int) -> None:
        if not self._backlog:
            self._since = clock.monotonic()
        self._backlog = backlog

    def _gives_up(self, driver: PointInTime, order: Order) -> bool:
        """Whether history had to give way to room for the engine."""
        most = min(order.keep_bytes, self._backlog + self._spare())
        if self._backlog <= most:
            return False
        lost = driver.log_give_up(max(most, 1))
        if lost:
            self._lose(driver, lost[0])
        return bool(lost)

    def _spare(self) -> int:
        """Bytes of the volume that log may still take; negative: it takes too many."""
        site = self._site
        if site is None or not room.enforced(site):
            return 1 << 62
        return room.free(site) - site.volume // NO_SERVER_BELOW

    # --- how it leaves ---

    def _ship(self, driver: PointInTime, order: Order, piece: Piece, latest: float | None, moment: Moment) -> bool:
        """Whether the store has it as we do. Where it has more or less, the next look goes on from there."""
        data = _read(piece)
        head = Head(
            instance=self._guest.boot.guest,
            stream=order.stream,
            file=piece.file.name,
            offset=piece.offset,
            bytes=len(data),
            sent=clock.now(),
            begins=piece.file.begins,
            closed=piece.file.closed and piece.offset + len(data) >= piece.file.size,
            latest=latest,
            committed=moment.at,
            position=moment.position,
        )
        sealed = chunks.seal(Gcm(bytes.fromhex(order.key)), head, data, os.urandom(NONCE))
        end = int(self._put(f"/v1/guest/archive/{order.stream}/{head.name}", sealed)["end"])
        self._place.shipped[piece.file.name] = end
        self._keep(self._place)
        if end == head.end:
            driver.log_shipped(piece.file.name, end)
            self._note(max(self._backlog - len(data), 1))
        return end == head.end

    def _put(self, path: str, data: bytes) -> Any:
        """Once more on a fresh connection where the one that was kept has ended meanwhile."""
        if self._line is not None:
            try:
                return self._sent(self._line, path, data)
            except Lost:
                self._line = None
        self._line = self._guest.keys.door.https()
        return self._sent(self._line, path, data)

    def _sent(self, line: http.client.HTTPSConnection, path: str, data: bytes) -> Any:
        return exchange(line, "PUT", path, data, "application/octet-stream", self._guest.keys.credential())

    # --- what it stands on ---

    def _source(self) -> PointInTime:
        """The driver for the site as it is. Raises NotSupported."""
        site = boot.site(self._guest.directory)
        if self._driver is None or site != self._site:
            driver = self._guest.driver()
            if not isinstance(driver, PointInTime):
                raise errors.NotSupported(f"{self._guest.engine.title} cannot be archived")
            for name, size in self._place.shipped.items():
                driver.log_shipped(name, size)
            self._site, self._driver = site, driver
        return self._driver

    def _keep(self, place: Place) -> None:
        self._place = place
        files.write(self._places, json.dumps(asdict(place)))

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise errors.Unavailable("the log is just being shipped")
        try:
            yield
        finally:
            self._lock.release()


def _pieces(file: LogFile, shipped: int | None) -> Iterator[Piece]:
    """A closed file without anything in it is told too: without it there would be a gap."""
    if shipped is None and file.closed and not file.size:
        yield Piece(file, 0, 0)
    for offset in range(shipped or 0, file.size, CHUNK_BYTES):
        yield Piece(file, offset, min(CHUNK_BYTES, file.size - offset))


def _moment(driver: PointInTime) -> Moment:
    """Of a server that does not answer only its files tell."""
    with suppress(errors.GuestFailed, errors.Unavailable):
        return driver.log_moment()
    return Moment({}, None)


def _placed(told: dict[str, Any], order: Order | None) -> Place:
    """What cannot be remembered the conductor knows."""
    place = Place(**told)
    return place if order is None or place.stream == order.stream else Place(order.stream)


def _read(piece: Piece) -> bytes:
    with piece.file.path.open("rb") as file:
        file.seek(piece.offset)
        return file.read(piece.bytes)


def _load(file: Path) -> dict[str, Any]:
    """Empty where there is none, or none that can be used: the control plane says it again."""
    try:
        told = json.loads(file.read_text()) if file.exists() else {}
    except (OSError, ValueError) as error:
        log.error("%s cannot be read: %s", file, error)  # noqa: TRY400 - the cause is in it
        return {}
    return told if isinstance(told, dict) else {}
