"""Schedules: when backups of an instance are taken by themselves, and how long those are kept. Ours, not Trove's."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import paging
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows
from argosy.db import events
from argosy.db.tables import BackupSchedule, Instance, QuotaUse
from argosy.model import retention, schedules
from argosy.workflows import backup_schedules, offers

CHANGEABLE = ("name", "cron", "timezone", "full_every", "strategy", "retention", "paused")
MOST_INCREMENTALS = 1000
PER_INSTANCE = 20
"""schedules of one instance"""


def index(request: Request) -> Answer:
    """Filter: `instance_id`."""
    limit = paging.limit(request)
    rows = select(BackupSchedule).where(BackupSchedule.project_id == request.caller.project_id)
    if request.query.get("instance_id"):
        rows = rows.where(BackupSchedule.instance_id == request.query["instance_id"])
    rows = rows.where(BackupSchedule.id > paging.marker(request)).order_by(BackupSchedule.id).limit(limit + 1)
    with request.services.database.read() as session:
        shown, last = paging.cut(session.scalars(rows).all(), limit)
    return Answer(200, paging.page(request, "backup_schedules", [_view(each) for each in shown], last))


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"backup_schedule": _view(_one(session, request))})


def create(request: Request) -> Answer:
    fields = request.fields("backup_schedule")
    fields.only(("instance_id", *CHANGEABLE))
    instance_id, name = fields.needed_text("instance_id", most=36), fields.needed_text("name")
    cron, now = fields.needed_text("cron"), clock.now()
    with request.services.database.write() as session:
        instance = instance_rows.named(session, request, instance_id)
        _require_room(session, instance)
        schedule = BackupSchedule(id=str(uuid.uuid4()), project_id=instance.project_id, instance_id=instance.id)
        schedule.name, schedule.cron, schedule.timezone = name, cron, "UTC"
        schedule.full_every, schedule.strategy, schedule.retention, schedule.missed = 1, "", {}, 0
        schedule.paused, schedule.created, schedule.updated = False, now, now
        _require_free(session, schedule, name)
        _change(session, schedule, instance, fields)
        session.add(schedule)
        _tell(session, schedule, "create")
        return Answer(200, {"backup_schedule": _view(schedule)})


def update(request: Request) -> Answer:
    """What is not named stays. A schedule that is resumed is next due in the future: what a pause skipped stays so."""
    fields = request.fields("backup_schedule")
    fields.only(CHANGEABLE)
    with request.services.database.write() as session:
        schedule = _one(session, request)
        _require_free(session, schedule, fields.text("name") or "")
        _change(session, schedule, session.get_one(Instance, schedule.instance_id), fields)
        schedule.updated = clock.now()
        _tell(session, schedule, "update")
        return Answer(200, {"backup_schedule": _view(schedule)})


def delete(request: Request) -> Answer:
    """Its backups stay, and nothing prunes them any more."""
    with request.services.database.write() as session:
        schedule = _one(session, request)
        session.delete(schedule)
        _tell(session, schedule, "delete")
    return Answer(204)


def run(request: Request) -> Answer:
    """A backup now, as the schedule would have it; the next one comes all the same. Raises Busy, OverQuota."""
    with request.services.database.write() as session:
        schedule = _one(session, request)
        backup = backup_schedules.begin(session, request.services.settings, request.caller, schedule)
        return Answer(202, {"backup_id": backup.id})


def _one(session: Session, request: Request) -> BackupSchedule:
    """Raises NotFound, also for another project's."""
    schedule = session.get(BackupSchedule, request.path["id"][:36])
    caller = request.caller
    mine = schedule is not None and (caller.is_admin or schedule.project_id == caller.project_id)
    if schedule is None or not mine or schedule.id != request.path["id"]:
        raise errors.NotFound(f"Backup schedule {request.path['id']} cannot be found.")
    request.permit(schedule.project_id)
    return schedule


def _require_room(session: Session, instance: Instance) -> None:
    mine = select(BackupSchedule.id).where(BackupSchedule.instance_id == instance.id).limit(PER_INSTANCE)
    if len(session.scalars(mine).all()) >= PER_INSTANCE:
        raise errors.OverQuota(f"an instance may have {PER_INSTANCE} schedules: delete one first")


def _require_free(session: Session, schedule: BackupSchedule, name: str) -> None:
    """A name means one schedule of a project, as commands that take one expect. Raises Conflict."""
    # Servers let two requests look at once: whoever names a schedule waits for this row of its project.
    session.get(QuotaUse, (schedule.project_id, "instances"), with_for_update=True)
    mine = (BackupSchedule.project_id == schedule.project_id) & (BackupSchedule.id != schedule.id)
    other = session.scalar(select(BackupSchedule).where(mine, BackupSchedule.name == name).limit(1))
    if other is not None:
        raise errors.Conflict(
            f"There is a schedule {name} already, {other.id} of instance {other.instance_id}: choose another name, or"
            " change that one."
        )


def _change(session: Session, schedule: BackupSchedule, instance: Instance, fields: Fields) -> None:
    """Raises BadRequest."""
    schedule.name = fields.text("name") or schedule.name
    schedule.cron = fields.text("cron") or schedule.cron
    schedule.timezone = fields.text("timezone", most=64) or schedule.timezone
    schedule.full_every = fields.integer("full_every", least=1, most=MOST_INCREMENTALS) or schedule.full_every
    if "strategy" in fields.values:
        schedule.strategy = _strategy(session, instance, fields)
    if "retention" in fields.values:
        schedule.retention = retention.check(fields.object("retention").values)
    paused = fields.flag("paused")
    schedule.paused = schedule.paused if paused is None else paused
    schedules.check(schedule.cron, schedule.timezone)
    if {"cron", "timezone", "paused"} & fields.values.keys():
        schedule.next_at = schedules.following(schedule.cron, schedule.timezone, clock.now())


def _strategy(session: Session, instance: Instance, fields: Fields) -> str:
    """Raises BadRequest for one that the engine does not have, or that stands on others by itself."""
    name = fields.text("strategy", most=32) or ""
    known = [each.name for each in offers.get(session, instance.version_id).engine.strategies if not each.parents]
    if name and name not in known:
        raise fields.wrong("strategy", f"{name!r} is not one of {known}")
    return name


def _tell(session: Session, schedule: BackupSchedule, verb: str) -> None:
    told = {"schedule_id": schedule.id, "name": schedule.name, "cron": schedule.cron}
    kind = f"dbaas.backup_schedule_{verb}"
    events.tell(session, kind, subject=schedule.instance_id, project_id=schedule.project_id, **told)


def _view(schedule: BackupSchedule) -> dict[str, Any]:
    last = schedule.last_at
    return {
        "id": schedule.id,
        "name": schedule.name,
        "project_id": schedule.project_id,
        "instance_id": schedule.instance_id,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "full_every": schedule.full_every,
        "strategy": schedule.strategy or None,
        "retention": schedule.retention,
        "paused": schedule.paused,
        "next_at": None if schedule.paused else clock.timestamp(schedule.next_at),
        "last_at": None if last is None else clock.timestamp(last),
        "last_backup_id": schedule.last_backup_id,
        "missed": schedule.missed,
        "fault": schedule.fault,
        "created": clock.timestamp(schedule.created),
        "updated": clock.timestamp(schedule.updated),
    }
