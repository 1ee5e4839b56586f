"""Point-in-time recovery of an instance: whether its log is archived, which moments it can be restored to, and how
somebody says to which.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows
from argosy.db.tables import Archive, Backup, Guest, Instance
from argosy.workflows import archives, begin_archive, copy_excerpt, offers, recovery
from argosy.workflows.copy_excerpt import Wanted
from argosy.workflows.recovery import Point, Window
from argosy.workflows.restoring import Restore

TARGETS = ("at", "transaction", "position", "before_statement")
LATEST = "latest"
LONGEST_DAYS = 3650
LONGEST_HOURS = 24 * 7


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"recovery": _view(session, request, instance_rows.one(session, request))})


def change(request: Request) -> Answer:
    """Turn it on or off, or keep more or fewer days. What is in the store already can be gone back to until then."""
    fields = request.fields("recovery")
    fields.only(("enabled", "keep_days"))
    enabled, days = fields.flag("enabled"), fields.integer("keep_days", least=1, most=LONGEST_DAYS)
    settings = request.services.settings
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        archive = session.get(Archive, instance.id)
        if enabled or (enabled is None and archive and archive.enabled):
            begin_archive.enable(session, settings.backups.log_keep_days, instance, days)
        elif enabled is False and archive is not None and archive.enabled:
            begin_archive.disable(session, instance)
        elif days is not None:
            raise errors.Unprocessable(f"the log of instance {instance.id} is not archived: turn that on")
        view = _view(session, request, instance)
    return Answer(200, {"recovery": view})


@dataclass(frozen=True)
class Wish:
    """What somebody who makes an instance says of it."""

    enabled: bool = False
    keep_days: int | None = None


def wish(fields: Fields) -> Wish:
    """Raises BadRequest."""
    told = fields.object("recovery")
    told.only(("enabled", "keep_days"))
    return Wish(bool(told.flag("enabled")), told.integer("keep_days", least=1, most=LONGEST_DAYS))


def resolved(session: Session, request: Request, fields: Fields) -> Restore:
    """What leads to the moment of an instance that somebody names. Raises BadRequest, NotFound, Conflict."""
    fields.only(("instance", "backupRef", *TARGETS))
    found = _origin(session, request, fields.needed_text("instance"))
    chosen = [name for name in TARGETS if name in fields]
    if len(chosen) > 1:
        raise fields.wrong(chosen[1], f"cannot be given together with {chosen[0]}")
    point = Point(
        found.id,
        at=_moment(fields),
        transaction=fields.text("transaction") or "",
        position=fields.text("position") or "",
        before_statement=fields.text("before_statement", most=4000) or "",
        base=(fields.text("backupRef", most=1000) or "").rpartition("/")[2],
    )
    return recovery.resolve(session, found, point)


def peek(fields: Fields, *, restored: bool) -> float | None:
    """When an instance that is only looked at goes again; None for one that stays. Raises BadRequest."""
    hours = fields.object("peek").integer("hours", least=1, most=LONGEST_HOURS)
    if hours is None:
        return None
    if not restored:
        raise fields.wrong("peek", "is for what is restored: name a restorePoint")
    return clock.now() + hours * 3600


def _origin(session: Session, request: Request, instance_id: str) -> Instance:
    """One's own, also one that was deleted: its log outlives it. Raises NotFound."""
    found, caller = session.get(Instance, instance_id), request.caller
    if found is None or not (caller.is_admin or found.project_id == caller.project_id):
        raise errors.NotFound(f"Instance {instance_id} cannot be found.")
    return found


def _moment(fields: Fields) -> float | None:
    """None for the latest."""
    told = fields.text("at")
    if told in (None, LATEST):
        return None
    try:
        return clock.moment(told or "")
    except (ValueError, OverflowError) as error:
        raise fields.wrong("at", "must be a time as 2026-01-31T12:00:00Z, or latest") from error


def copy_from(session: Session, request: Request, instance: Instance, fields: Fields) -> None:
    """An action on an instance: a database, or tables of it, from another one, beside what is there."""
    request.permit(instance.project_id, "instance:copy_from")
    fields.only(("instance", "database", "tables", "into"))
    origin = instance_rows.named(session, request, fields.needed_text("instance"))
    tables = [_name(fields, each) for each in fields.list("tables")]
    wanted = Wanted(fields.needed_text("database", most=64), tables, fields.text("into", most=64) or "")
    copy_excerpt.admit(session, request.caller, instance, origin, wanted)


def _name(fields: Fields, told: Any) -> str:
    if not isinstance(told, str) or not 1 <= len(told) <= 255 or not told.isprintable():
        raise fields.wrong("tables", "must be names of tables")
    return told


# --- what is shown ---


def summary(session: Session, instance: Instance) -> dict[str, Any]:
    """With the instance itself."""
    archive, found = session.get(Archive, instance.id), recovery.windows(session, instance)
    return {
        "enabled": bool(archive and archive.enabled),
        "earliest": recovery.stamp(found[0].earliest) if found else None,
        "latest": recovery.stamp(found[-1].latest) if found else None,
        "level": archive.level if archive else "fine",
    }


def _view(session: Session, request: Request, instance: Instance) -> dict[str, Any]:
    archive, found = session.get(Archive, instance.id), recovery.windows(session, instance)
    days = archive.keep_days if archive else request.services.settings.backups.log_keep_days
    return {
        **summary(session, instance),
        "possible": archives.able(offers.get(session, instance.version_id)),
        "restart": _restart(session, instance),
        "keep_days": days,
        "windows": [_window(each) for each in found],
        "backlog": _backlog(session, request, instance),
        "fault": archive.fault if archive else None,
    }


def _restart(session: Session, instance: Instance) -> bool:
    """Whether the server must be restarted, and will be, before its log is archived: it writes none."""
    guest = session.get(Guest, instance.id)
    return bool(guest and guest.metrics and guest.metrics.get("log_written") == 0.0)


def _window(window: Window) -> dict[str, Any]:
    stream = window.stream
    return {
        "earliest": recovery.stamp(window.earliest),
        "latest": recovery.stamp(window.latest),
        "ended": stream.ended is not None,
        "position": dict(stream.position),
        "stored_bytes": stream.stored_bytes,
        "backups": [_base(each) for each in window.bases],
    }


def _base(backup: Backup) -> dict[str, Any]:
    return {"id": backup.id, "moment": recovery.stamp(backup.moment or 0.0), "proof": backup.proof}


def _backlog(session: Session, request: Request, instance: Instance) -> dict[str, Any] | None:
    """How far the store is behind the server; None while nothing is shipped."""
    stream, guest = archives.current(session, instance.id), session.get(Guest, instance.id)
    if stream is None or stream.began is None or stream.ended is not None or guest is None:
        return None
    lag = archives.lag(request.services.settings.backups, instance, stream, guest.metrics or {}, clock.now())
    return {"bytes": lag.bytes, "seconds": round(lag.seconds, 1), "percent_of_room": lag.percent}
