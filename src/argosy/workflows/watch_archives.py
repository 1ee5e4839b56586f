"""Look after the archives of logs: begin what should be and is not, take backups for them to lead on from, and tell of
a backlog long before a volume is full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.tables import Archive, ArchiveStream, Backup, Guest, Instance, Run
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.model.backups import RUNNING, State
from argosy.model.caller import Caller
from argosy.model.guest import Health
from argosy.model.usage import Level
from argosy.settings import Backups, Settings
from argosy.workflows import archives, begin_archive, create_backup, offers, servers
from argosy.workflows.new_backups import NewBackup
from argosy.workflows.world import World

watch_archives: Workflow[World] = Workflow("watch_archives")

AT_ONCE = 200
AGAIN_SECONDS = 60.0
"""after something has failed"""
UNHEARD_SECONDS = 90.0
"""After so long an agent that says nothing of the stream has lost the order."""
ANOTHER_SERVER = "the server is another one"
HOUR = 3600.0


@dataclass(frozen=True)
class Seen:
    """One archive with what it is of."""

    archive: Archive
    instance: Instance
    guest: Guest
    stream: ArchiveStream | None

    @property
    def metrics(self) -> Mapping[str, float]:
        return self.guest.metrics or {}

    @property
    def well(self) -> bool:
        idle = self.instance.task in servers.IDLE and self.instance.wanted == servers.RUNNING
        return idle and self.guest.connected and self.guest.health == Health.HEALTHY


@watch_archives.step(minutes=5)
def adopt(ctx: Context[World]) -> Outcome:
    """Where the deployment wants it, instances that nobody has decided about."""
    if not ctx.world.settings.backups.point_in_time:
        return None
    undecided = ~select(Archive.instance_id).where(Archive.instance_id == Instance.id).exists()
    ready = Instance.deleted.is_(False) & Instance.task.in_(servers.IDLE) & (Instance.wanted == servers.RUNNING)
    with ctx.database.read() as session:
        found = session.scalars(select(Instance).where(ready, undecided).order_by(Instance.created).limit(AT_ONCE))
        able = [each.id for each in found if archives.able(offers.get(session, each.version_id))]
    for instance_id in able:
        with ctx.database.write() as session:
            instance = session.get_one(Instance, instance_id)
            begin_archive.enable(session, ctx.world.settings.backups.log_keep_days, instance)
    return None


@watch_archives.step(minutes=10)
def look(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        found = _enabled(session)
    for each in found:
        try:
            _look_after(ctx, each)
        except errors.ArgosyError as error:
            _note(ctx, each, error.message)
    return None


def _enabled(session: Session) -> Sequence[Seen]:
    rows = (
        select(Archive, Instance, Guest, ArchiveStream)
        .join(Instance, Instance.id == Archive.instance_id)
        .join(Guest, Guest.id == Archive.instance_id)
        .outerjoin(
            ArchiveStream,
            (ArchiveStream.instance_id == Archive.instance_id) & (ArchiveStream.number == Archive.stream),
        )
        .where(Archive.enabled.is_(True), Instance.deleted.is_(False))
        .order_by(Archive.instance_id)
    )
    return [Seen(*row) for row in session.execute(rows)]


def _look_after(ctx: Context[World], seen: Seen) -> None:
    now = clock.now()
    _tell(ctx, seen, ctx.world.settings.backups, now)
    reason = _why_anew(seen)
    if reason and seen.well and not _tried(ctx, seen, now):
        with ctx.database.write() as session:
            _begin(session, seen, reason)
    elif seen.well and not reason:
        _note(ctx, seen, _lead_on(ctx, seen, now))


def _why_anew(seen: Seen) -> str:
    """Why another stream must begin; empty: it need not."""
    stream, metrics = seen.stream, seen.metrics
    if stream is None:
        return "it is archived from now on"
    another = (stream.generation, stream.version_id) != (seen.instance.generation, seen.instance.version_id)
    if stream.ended is not None:
        return ANOTHER_SERVER if another else "the stream before has ended"
    if stream.began is None:
        return ""
    if another:
        return ANOTHER_SERVER
    mine = metrics.get("archive_stream") == stream.number
    if mine and metrics.get("archive_lost"):
        return "log had to be given up before it was in the store"
    silent = (seen.guest.seen_at or 0.0) > stream.began + UNHEARD_SECONDS and not mine
    return "the guest does not ship it any more" if silent else ""


def _begin(session: Session, seen: Seen, reason: str) -> None:
    if seen.stream is not None and (seen.stream.ended is None or reason == ANOTHER_SERVER):
        told = {"message": reason, "stream": seen.stream.number}
        events.tell(session, "dbaas.archive_gap", subject=seen.instance.id, project_id=seen.instance.project_id, **told)
    begin_archive.admit(session, session.get_one(Instance, seen.instance.id), reason)


def _tried(ctx: Context[World], seen: Seen, now: float) -> bool:
    """Whether that is under way, or has just failed."""
    mine = (Run.subject == seen.instance.id) & (Run.workflow == begin_archive.begin_archive.name)
    newest = select(Run.state, Run.ended).where(mine).order_by(Run.created.desc()).limit(1)
    with ctx.database.read() as session:
        last = session.execute(newest).one_or_none()
    if last is None or last.state == "done":
        return False
    return last.state == "active" or abs(now - (last.ended or now)) < AGAIN_SECONDS


# --- what a stream leads on from ---


def _lead_on(ctx: Context[World], seen: Seen, now: float) -> str:
    """Have a backup taken where the stream wants one. Why no moment of it can be had; empty: they can, or will soon."""
    stream, settings = seen.stream, ctx.world.settings
    if stream is None or stream.began is None:
        return ""
    with ctx.database.read() as session:
        there = archives.bases(session, offers.get(session, seen.instance.version_id).engine, stream)
        wanted = _wants_base(stream, there, settings.backups, now) and not _being_taken(session, seen, now)
        fault = "" if there else _why_no_base(session, stream)
    if wanted:
        with ctx.database.write() as session:
            _take_base(session, settings, session.get_one(Instance, seen.instance.id))
    return fault


def _wants_base(stream: ArchiveStream, there: Sequence[Backup], settings: Backups, now: float) -> bool:
    """None is there yet, or the last one is old and something was written since."""
    if not there:
        return True
    newest = there[-1].moment or 0.0
    written = stream.committed is None or stream.committed > newest
    return written and now - newest > settings.log_base_hours * HOUR


def _being_taken(session: Session, seen: Seen, now: float) -> bool:
    """Or it has just failed."""
    mine = Backup.instance_id == seen.instance.id
    running = mine & Backup.state.in_(RUNNING)
    failed = mine & (Backup.purpose == archives.BASE) & (Backup.state == State.FAILED)
    recent = failed & (Backup.updated > now - AGAIN_SECONDS)
    return session.scalar(select(Backup.id).where(running | recent).limit(1)) is not None


def _why_no_base(session: Session, stream: ArchiveStream) -> str:
    """Why the last one of the stream failed, if any did."""
    since = (Backup.instance_id == stream.instance_id) & (Backup.created >= stream.began)
    failed = since & (Backup.purpose == archives.BASE) & (Backup.state == State.FAILED)
    fault = session.scalar(select(Backup.fault).where(failed).order_by(Backup.created.desc()).limit(1))
    return f"the backup that a window begins with has failed: {fault}" if fault else ""


def _take_base(session: Session, settings: Settings, instance: Instance) -> None:
    wanted = NewBackup(name=f"{instance.name[:200]} (recovery)", instance=instance, purpose=archives.BASE)
    create_backup.admit(session, settings, Caller("", "argosy", instance.project_id, ""), wanted)


# --- what is told ---


def _tell(ctx: Context[World], seen: Seen, settings: Backups, now: float) -> None:
    """An event where the level is another than before. Of a server that should not run, and of a stream that has ended,
    nothing is expected.
    """
    before = Level(seen.archive.level)
    level = Level.FINE
    if seen.stream is not None and seen.stream.ended is None and seen.instance.wanted == servers.RUNNING:
        level = archives.level(settings, lag := _lag(seen, settings, now), before)
        told = {"level": level, "seconds": round(lag.seconds), "bytes": lag.bytes}
    else:
        told = {"level": level, "seconds": 0, "bytes": 0}
    if level is Level.FINE and seen.archive.fault and seen.instance.wanted == servers.RUNNING:
        level = told["level"] = Level.WARNING  # nothing waits, and nothing that arrives can be restored
    if level is before:
        return
    with ctx.database.write() as session:
        session.get_one(Archive, seen.archive.instance_id).level = level
        project = seen.instance.project_id
        events.tell(session, "dbaas.archive_backlog", subject=seen.instance.id, project_id=project, **told)


def _lag(seen: Seen, settings: Backups, now: float) -> archives.Lag:
    assert seen.stream is not None  # noqa: S101 - asked before
    return archives.lag(settings, seen.instance, seen.stream, seen.metrics, now)


def _note(ctx: Context[World], seen: Seen, fault: str) -> None:
    """Until there is none; whatever it is, the next look tries again."""
    if (seen.archive.fault or "") == fault:
        return
    with ctx.database.write() as session:
        archive = session.get_one(Archive, seen.archive.instance_id)
        archive.fault, archive.updated = fault or None, clock.now()
