"""What is written of guests, many at a time: one statement per kind of report, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, BindParameter, Update, bindparam, case, or_, select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.conductor import news
from argosy.db.session import ring
from argosy.db.tables import Guest
from argosy.guest import mailbox
from argosy.guest.enrolment import Known
from argosy.model import wire


@dataclass(frozen=True)
class Joined:
    boot: str
    agent: str
    protocol: int


@dataclass(frozen=True)
class Left:
    boot: str


@dataclass(frozen=True)
class Beat:
    columns: Mapping[str, Any]
    changes: bool
    """health, or what is said about it, is another than before: whoever waits for it is told"""


@dataclass(frozen=True, eq=False)
class Report:
    """Something of one guest to be written."""

    known: Known
    said: Joined | Left | Beat | wire.Progress | wire.Answer
    written: asyncio.Future[bool] | None = None
    """where somebody waits for the commit"""


_guest: BindParameter[str] = bindparam("g_id")
_generation: BindParameter[int] = bindparam("g_generation")
_boot: BindParameter[str] = bindparam("g_boot")
_now: BindParameter[float] = bindparam("g_now")
_health: BindParameter[str] = bindparam("g_health")
_MINE = (Guest.id == _guest, Guest.generation == _generation)

JOINED = (
    update(Guest)
    .where(*_MINE)
    .ordered_values(  # in this order: MariaDB's assignments see those before them
        (Guest.seq, case((Guest.boot == _boot, Guest.seq), else_=0)),
        (Guest.boot, _boot),
        (Guest.agent, bindparam("g_agent")),
        (Guest.protocol, bindparam("g_protocol")),
        (Guest.connected, True),
        (Guest.seen_at, _now),
    )
)
"""A boot that says hello is the one whose heartbeats count from now on."""

LEFT = update(Guest).where(*_MINE, Guest.boot == _boot).values(connected=False)

BEAT = (
    update(Guest)
    .where(*_MINE, Guest.boot == _boot, Guest.seq < bindparam("g_seq"))
    .ordered_values(
        (Guest.health_at, case((Guest.health != _health, _now), else_=Guest.health_at)),
        (Guest.health, _health),
        (Guest.seq, bindparam("g_seq")),
        (Guest.message, bindparam("g_message")),
        (Guest.version, bindparam("g_version")),
        (Guest.volume_used, bindparam("g_volume_used")),
        (Guest.volume_total, bindparam("g_volume_total")),
        (Guest.metrics, bindparam("g_metrics", type_=JSON)),
        (Guest.connected, True),
        (Guest.seen_at, _now),
    )
)


def write(session: Session, reports: Sequence[Report]) -> None:
    """All of them, in the order that makes the last word on presence count."""
    _many(session, LEFT, (_left(each) for each in _of(reports, Left)))
    _many(session, JOINED, (_joined(each) for each in _of(reports, Joined)))
    before = news.said(session, _changing(reports))
    _many(session, BEAT, (_beat(each) for each in _of(reports, Beat)))
    news.tell_changes(session, before)
    valid = _valid(session, [*_of(reports, wire.Progress), *_of(reports, wire.Answer)])
    for report in reports:
        if report.known in valid:
            _mail(session, report)
    if any(each.said.changes for each in reports if isinstance(each.said, Beat)):
        ring(session, "api")


def silence(session: Session, seconds: float) -> None:
    """Guests of whom nobody has heard for so long are not connected, whatever a killed conductor left written.

    Nor are those heard of in the future: the clock was set back since.
    """
    now = clock.now()
    quiet = or_(Guest.seen_at.is_(None), Guest.seen_at < now - seconds, Guest.seen_at > now + seconds)
    session.execute(update(Guest).where(Guest.connected.is_(True), quiet).values(connected=False))


def gone(session: Session, known: Iterable[Known]) -> list[Known]:
    """Those whose row was deleted or belongs to another generation by now."""
    asked = list(known)
    valid = _generations(session, [each.id for each in asked])
    return [each for each in asked if each not in valid]


def _mail(session: Session, report: Report) -> None:
    if isinstance(report.said, wire.Answer):
        mailbox.answer(session, report.known.id, report.said)
    elif isinstance(report.said, wire.Progress):
        mailbox.progress(session, report.known.id, report.said)


def _valid(session: Session, reports: Sequence[Report]) -> set[Known]:
    return _generations(session, [each.known.id for each in reports]) if reports else set()


def _generations(session: Session, guests: Sequence[str]) -> set[Known]:
    rows = session.execute(select(Guest.id, Guest.generation).where(Guest.id.in_(guests)))
    return {Known(guest, generation) for guest, generation in rows}


def _of(reports: Sequence[Report], kind: type[Any]) -> list[Report]:
    """Ordered by guest, so that two conductors never wait for each other's rows in a circle."""
    return sorted((each for each in reports if isinstance(each.said, kind)), key=lambda each: each.known.id)


def _many(session: Session, statement: Update, rows: Iterable[dict[str, Any]]) -> None:
    values = list(rows)
    if values:
        session.connection().execute(statement, values)


def _joined(report: Report) -> dict[str, Any]:
    said: Any = report.said
    return _mine(report, said.boot) | {"g_agent": said.agent, "g_protocol": said.protocol, "g_now": clock.now()}


def _changing(reports: Sequence[Report]) -> list[str]:
    return [each.known.id for each in reports if isinstance(each.said, Beat) and each.said.changes]


def _left(report: Report) -> dict[str, Any]:
    said: Any = report.said
    return _mine(report, said.boot)


def _beat(report: Report) -> dict[str, Any]:
    said: Any = report.said
    columns = {f"g_{name}": value for name, value in said.columns.items()}
    return _mine(report, said.columns["boot"]) | columns | {"g_now": clock.now()}


def _mine(report: Report, boot: str) -> dict[str, Any]:
    return {"g_id": report.known.id, "g_generation": report.known.generation, "g_boot": boot}
