"""What a guest may do here, whatever carries its frames: prove itself, say hello, report, answer."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from sqlalchemy import select

from argosy import clock
from argosy.conductor import claims, news, records
from argosy.conductor.connections import Connection, Connections
from argosy.conductor.dispatch import Dispatch
from argosy.conductor.intake import Intake
from argosy.conductor.records import Beat, Joined, Left, Report
from argosy.db import events
from argosy.db.session import Database, ring
from argosy.db.tables import Fact, Instance
from argosy.guest import certificates, enrolment, mailbox
from argosy.guest.authority import SHOWN, Authority, Issued
from argosy.guest.enrolment import Known
from argosy.model import wire
from argosy.settings import Settings

log = logging.getLogger(__name__)

THREADS = 4
"""that read the control database; one more writes to it"""
DAY = 86_400
ANSWERS_SECONDS = 7 * DAY
"""for which answers are kept; no operation waits so long for one"""
SILENT_BEATS = 3
"""A connection over which so many heartbeats did not come is dead."""
P = ParamSpec("P")
R = TypeVar("R")


class Desk:
    def __init__(self, settings: Settings, database: Database, authority: Callable[[], Authority]) -> None:
        self.settings = settings
        self.connections = Connections()
        self.intake = Intake(database)
        self.dispatch = Dispatch(database, self.connections, self.threaded)
        self._database = database
        self._authority = authority
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="desk")

    @property
    def database(self) -> Database:
        return self._database

    async def threaded(self, work: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Run what waits for the database beside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *arguments, **named))

    # --- who is it ---

    def enrol(self, request: wire.Enrol) -> wire.Enrolled:
        """Raises Unauthorized."""
        with self._database.write() as session:
            enrolled = enrolment.enrol(session, request)
            if session.get(Instance, request.guest) is not None:  # and not who builds a template
                events.tell(session, "dbaas.guest_enrolled", subject=request.guest)
        log.info("guest enrolled", extra={"guest": request.guest, "generation": request.generation})
        return enrolled

    def recognise(self, credential: str) -> Known:
        """Raises Unauthorized."""
        with self._database.read() as session:
            known, first_use = enrolment.recognise(session, credential)
        if first_use:
            with self._database.write() as session:
                enrolment.confirm(session, known, credential)
        return known

    def rotate(self, known: Known) -> wire.Enrolled:
        with self._database.write() as session:
            return enrolment.rotate(session, known)

    def certify(self, known: Known) -> Issued:
        """What this guest's server is to show. Raises Conflict when it has no endpoint."""
        signing, days = self._authority(), self.settings.tls.certificate_days
        with self._database.write() as session:
            return certificates.hand_out(session, signing, days, known.id)

    def shows(self, authority: str) -> None:
        """Note for others by which authority the conductor can be known from now on."""
        with self._database.write() as session:
            session.merge(Fact(name=SHOWN, value=authority))
            ring(session, "taskmanager")

    # --- what does it say ---

    def join(self, known: Known, hello: wire.Hello) -> Connection:
        """The guest is here, and hears Welcome first. Raises BadFrame when no protocol is spoken by both."""
        protocol = max(set(hello.protocols) & set(wire.PROTOCOLS), default=0)
        if not protocol:
            raise wire.BadFrame(f"no protocol in common: the conductor speaks {list(wire.PROTOCOLS)}")
        connection = Connection(known, claims.text(hello.boot, 64))
        connection.put(wire.Welcome(protocol, self.settings.conductor.heartbeat_seconds))
        self.connections.join(connection)
        self.intake.add(Report(known, Joined(connection.boot, claims.text(hello.agent, 64), protocol)))
        self.dispatch.ring()
        return connection

    def leave(self, connection: Connection) -> None:
        if self.connections.leave(connection):
            self.intake.add(Report(connection.known, Left(connection.boot)))

    async def hear(self, connection: Connection, frame: wire.Frame | None) -> None:
        """Take one frame. A guest that says too much is heard more slowly. Raises BadFrame."""
        if connection.closed:
            return
        connection.heard_at = clock.monotonic()
        if isinstance(frame, wire.Heartbeat):
            self._beat(connection, frame)
        elif isinstance(frame, wire.Progress):
            self.intake.add(Report(connection.known, claims.progress(frame)))
        elif isinstance(frame, wire.Answer):
            await self._answer(connection, claims.answer(frame))
        if pause := connection.allowance.spend():
            await asyncio.sleep(pause)

    def _beat(self, connection: Connection, frame: wire.Heartbeat) -> None:
        columns = claims.beat(frame)
        said = (columns["health"], columns["message"])
        changes = said != connection.said
        connection.said = said
        self.intake.add(Report(connection.known, Beat(columns, changes)))

    async def _answer(self, connection: Connection, answer: wire.Answer) -> None:
        """Acknowledged once it is committed; otherwise the guest will say it again."""
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.intake.add(Report(connection.known, answer, written))
        if await written:
            connection.settled(answer.id)

    # --- looking after connections ---

    async def watch(self) -> None:
        """End what is dead: silent connections, those of deleted or rebuilt guests, and rows that say otherwise."""
        while True:
            await asyncio.sleep(self.settings.conductor.heartbeat_seconds)
            try:
                await self.look_after()
            except Exception:
                log.exception("connections could not be looked after")

    async def look_after(self) -> None:
        patience = SILENT_BEATS * self.settings.conductor.heartbeat_seconds
        for connection in self.connections:
            if clock.monotonic() - connection.heard_at > patience:
                self.leave(connection)
        for known in await self.threaded(self._gone, patience):
            stranger = self.connections.get(known.id)
            if stranger is not None and stranger.known == known:
                self.leave(stranger)

    def _gone(self, patience: float) -> list[Known]:
        with self._database.write() as session:
            mailbox.prune(session, clock.now() - ANSWERS_SECONDS)
            records.silence(session, patience)
            news.look(session, patience)
            return records.gone(session, [each.known for each in self.connections])

    def check(self) -> None:
        """Raises what the control database raises when it does not answer."""
        with self._database.read() as session:
            session.execute(select(1))

    async def close(self) -> None:
        for connection in self.connections:
            self.leave(connection)
        await self.intake.close()
        self._threads.shutdown()
