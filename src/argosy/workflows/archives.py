"""What is archived of an instance's log, as rows: streams, the backups that they lead on from, how late it all is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Archive, ArchiveFile, ArchiveStream, Backup, Guest, Instance
from argosy.durable.workflow import Context
from argosy.engines.base import Capability, Engine
from argosy.model import usage
from argosy.model.backups import Proof, State
from argosy.model.usage import Level
from argosy.settings import Backups, Settings
from argosy.stores import streams as places
from argosy.workflows import offers
from argosy.workflows.offers import Offer
from argosy.workflows.world import World

BASE = "base"
"""purpose of a backup that was taken for a stream to begin with"""
GIGABYTE = 1 << 30
BYTES_WARNING, BYTES_CRITICAL = 50.0, 90.0
"""percent of the room that log may take"""


def able(offer: Offer) -> bool:
    """Whether the log of such a server can be archived, and led on from a backup."""
    needed = {Capability.POINT_IN_TIME, Capability.BACKUPS}
    return needed <= offer.engine.capabilities and needed <= set(offer.version.capabilities)


def wanted(session: Session, settings: Settings, instance: Instance) -> bool:
    """Whether it is to be archived; where nobody has decided, as the deployment has it."""
    archive = session.get(Archive, instance.id)
    if archive is not None:
        return archive.enabled
    return settings.backups.point_in_time and able(offers.get(session, instance.version_id))


def history(ctx: Context[World]) -> bool:
    """What a guest is told with every verb that starts a server: whether to write a log for that, where this costs."""
    with ctx.database.read() as session:
        return wanted(session, ctx.world.settings, session.get_one(Instance, ctx.subject))


def current(session: Session, instance_id: str) -> ArchiveStream | None:
    """The stream under way."""
    archive = session.get(Archive, instance_id)
    return session.get(ArchiveStream, (instance_id, archive.stream)) if archive and archive.stream else None


def streams(session: Session, instance_id: str) -> Sequence[ArchiveStream]:
    """Those of which anything can be there, oldest first."""
    mine = select(ArchiveStream).where(ArchiveStream.instance_id == instance_id, ArchiveStream.began.is_not(None))
    return session.scalars(mine.order_by(ArchiveStream.number)).all()


def files(session: Session, stream: ArchiveStream) -> Sequence[ArchiveFile]:
    """In the order of history."""
    mine = (ArchiveFile.instance_id == stream.instance_id) & (ArchiveFile.number == stream.number)
    return session.scalars(select(ArchiveFile).where(mine).order_by(ArchiveFile.name)).all()


def bases(session: Session, engine: Engine, stream: ArchiveStream) -> Sequence[Backup]:
    """Backups that the stream leads on from, the oldest first: of files, taken while it was under way."""
    logical = [each.name for each in engine.strategies if each.logical]
    whole = Backup.state.in_((State.COMPLETED,)) & (Backup.proof != Proof.BROKEN) & Backup.quarantined_until.is_(None)
    mine = (Backup.instance_id == stream.instance_id) & (Backup.created >= stream.began)
    within = mine & (Backup.moment <= stream.ended) if stream.ended else mine & Backup.moment.is_not(None)
    rows = select(Backup).where(whole, within, Backup.strategy.not_in(logical)).order_by(Backup.moment, Backup.id)
    return session.scalars(rows).all()


def begin(session: Session, archive: Archive, instance: Instance) -> ArchiveStream:
    """Another stream; the one before has ended."""
    end(session, archive)
    now, number = clock.now(), archive.stream + 1
    stream = ArchiveStream(
        instance_id=instance.id,
        number=number,
        project_id=instance.project_id,
        place=places.place(instance.project_id, instance.id, number),
        data_key=secrets.token_hex(32),
        version_id=instance.version_id,
        generation=instance.generation,
        asked=now,
        position={},
        stored_bytes=0,
    )
    session.add(stream)
    archive.stream, archive.fault, archive.updated = number, None, now
    return stream


def end(session: Session, archive: Archive) -> None:
    """Nothing more of the stream under way will come. What its guest said last holds."""
    stream = session.get(ArchiveStream, (archive.instance_id, archive.stream))
    if stream is not None and stream.ended is None:
        stream.latest = latest(stream, _metrics(session, archive.instance_id))
        stream.ended = clock.now()


def interrupt(session: Session, instance_id: str) -> None:
    """The server that wrote the log has been stopped for good; another one's log is another stream."""
    archive = session.get(Archive, instance_id)
    if archive is not None:
        end(session, archive)


def forget(session: Session, instance_id: str) -> None:
    """The instance is gone: what was archived of it stays until it is too old, and can be gone back to."""
    archive = session.get(Archive, instance_id)
    if archive is not None:
        end(session, archive)
        archive.enabled, archive.level, archive.updated = False, Level.FINE, clock.now()


def latest(stream: ArchiveStream, metrics: Mapping[str, float]) -> float | None:
    """Everything committed up to then can be had again: told with the last chunk, or by a heartbeat since."""
    told = metrics.get("archive_latest", 0.0) if metrics.get("archive_stream") == stream.number else 0.0
    return max(told, stream.latest or 0.0) or None


def spool(settings: Backups, gigabytes: int) -> int:
    """Bytes of a volume that log may take."""
    return int(gigabytes * GIGABYTE * settings.log_spool_percent / 100)


@dataclass(frozen=True)
class Lag:
    """How far the archive is behind its instance."""

    seconds: float
    """age of the newest moment that can be restored"""
    bytes: int
    percent: float
    """of the room that log may take"""


def lag(settings: Backups, instance: Instance, stream: ArchiveStream, metrics: Mapping[str, float], now: float) -> Lag:
    reached = latest(stream, metrics) or stream.began or now
    waiting = int(metrics.get("archive_backlog_bytes", 0))
    return Lag(max(now - reached, 0.0), waiting, usage.percent(waiting, spool(settings, instance.gigabytes)))


def level(settings: Backups, seen: Lag, before: Level) -> Level:
    """By whichever is worse: how old, or how much."""
    by_age = usage.level(seen.seconds, before, settings.log_warning_seconds, settings.log_critical_seconds)
    by_size = usage.level(seen.percent, before, BYTES_WARNING, BYTES_CRITICAL)
    order = list(Level)
    return max(by_age, by_size, key=order.index)


def _metrics(session: Session, instance_id: str) -> Mapping[str, float]:
    guest = session.get(Guest, instance_id)
    return (guest.metrics or {}) if guest else {}
