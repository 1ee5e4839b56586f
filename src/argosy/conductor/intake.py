"""Takes what guests say and writes it in groups: one commit for all that came while the last one ran.

Heartbeats wait up to a tenth of a second for company; a change of health, a hello and an answer do not. Nothing but an
answer is acknowledged: a crash loses at most the heartbeats of that tenth of a second and of the commit under way, and
the next ones, at most an interval later, say the same again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from argosy.conductor import records
from argosy.conductor.records import Beat, Joined, Left, Report
from argosy.db.session import Database
from argosy.model import wire

log = logging.getLogger(__name__)

GROUP_SECONDS = 0.1
AGAIN_SECONDS = 1.0
"""between two tries when the control database does not answer"""


class Intake:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._waiting: dict[object, Report] = {}
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()

    def add(self, report: Report) -> None:
        """To be written soon. Of several reports of one kind by one guest the last one counts."""
        key = _key(report)
        self._waiting[key] = _instead_of(self._waiting.get(key), report)
        self._some.set()
        if _is_urgent(report):
            self._urgent.set()

    async def run(self) -> None:
        """Until cancelled; what is left then is written by `close`."""
        while True:
            await self._some.wait()
            await self._company()
            await self._flush()

    async def close(self) -> None:
        await self._flush()
        self._writer.shutdown()

    async def _company(self) -> None:
        try:
            async with asyncio.timeout(GROUP_SECONDS):
                await self._urgent.wait()
        except TimeoutError:
            return

    async def _flush(self) -> None:
        reports = list(self._waiting.values())
        self._waiting = {}
        self._some.clear()
        self._urgent.clear()
        if not reports:
            return
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(self._writer, self._write, reports)
        for report in reports:
            if report.written is not None and not report.written.done():
                report.written.set_result(report in kept)
        if not kept and not await loop.run_in_executor(self._writer, self._answers):
            await self._later(reports)

    async def _later(self, reports: Sequence[Report]) -> None:
        """The database is away: what nobody waits for is tried again, unless something newer has come."""
        await asyncio.sleep(AGAIN_SECONDS)
        for report in reports:
            if report.written is None and _key(report) not in self._waiting:
                self.add(report)

    def _write(self, reports: Sequence[Report]) -> set[Report]:
        """Those that were written. One that the database refuses does not take the others along."""
        try:
            with self._database.write() as session:
                records.write(session, reports)
        except Exception as error:  # noqa: BLE001 - whatever a guest said must not stop the rest
            return self._apart(reports, error)
        return set(reports)

    def _apart(self, reports: Sequence[Report], error: Exception) -> set[Report]:
        if not self._answers():
            log.warning("the control database does not answer: %s", error)
            return set()
        if len(reports) == 1:
            log.error("what a guest said cannot be written", exc_info=error, extra={"guest": reports[0].known.id})
            return set()
        half = len(reports) // 2
        return self._write(reports[:half]) | self._write(reports[half:])

    def _answers(self) -> bool:
        try:
            with self._database.read() as session:
                session.execute(select(1))
        except SQLAlchemyError:
            return False
        return True


def _key(report: Report) -> object:
    said, guest = report.said, report.known.id
    if isinstance(said, wire.Answer):
        return report
    if isinstance(said, wire.Progress):
        return (guest, "progress", said.id)
    return (guest, "beat" if isinstance(said, Beat) else "presence")


def _instead_of(older: Report | None, newer: Report) -> Report:
    """The newer one, which also tells what the older one would have."""
    if older is None or not isinstance(older.said, Beat) or not isinstance(newer.said, Beat):
        return newer
    return replace(newer, said=Beat(newer.said.columns, newer.said.changes or older.said.changes))


def _is_urgent(report: Report) -> bool:
    said = report.said
    return isinstance(said, wire.Answer | Joined | Left) or (isinstance(said, Beat) and said.changes)
