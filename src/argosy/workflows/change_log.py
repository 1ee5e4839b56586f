"""Switch a log of an instance's database server, publish it in the object store, or discard what was published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import GuestLog, Instance, LogObject, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.engines.logfiles import Kind, Log
from argosy.guest import mailbox
from argosy.model.caller import Caller
from argosy.model.log_status import extent
from argosy.model.status import Task
from argosy.stores import deployment
from argosy.workflows import offers, overrides, servers
from argosy.workflows.log_places import Place
from argosy.workflows.world import World

change_log: Workflow[World] = Workflow("change_log", cancellable=True, event="instance_log")

LONGEST = 64 << 20
"""bytes that one publishing brings: more than a guest keeps, whatever it claims"""
MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Wanted:
    enable: bool | None = None
    """None: as it is"""
    discard: bool = False
    publish: bool = False

    @property
    def anything(self) -> bool:
        return self.enable is not None or self.discard or self.publish


def admit(session: Session, caller: Caller, instance: Instance, log: Log, wanted: Wanted) -> Run:
    """Raises BadRequest for a log that cannot be switched, Forbidden for one that an operator has locked, Busy."""
    servers.require_idle(instance)
    switch = _switch(log, wanted)
    row = _row(session, instance, log)
    if switch is not None:
        row.enabled, row.updated = switch, clock.now()
        _require_unlocked(session, instance, log, on=switch)
    return queue.enqueue(
        session,
        change_log,
        instance.id,
        project_id=caller.project_id,
        log=log.name,
        switch=switch is not None,
        discard=wanted.discard,
        publish=wanted.publish,
    )


def place(session: Session, container: str, instance_id: str, log: str) -> Place:
    instance = session.get_one(Instance, instance_id)
    return Place(container, instance_id, offers.get(session, instance.version_id).datastore.name, log)


def _switch(log: Log, wanted: Wanted) -> bool | None:
    """Publishing a log that can be switched has it written from then on."""
    if log.kind is Kind.SYS:
        if wanted.enable is not None:
            raise errors.BadRequest(f"The log {log.name} is always written: it can be neither enabled nor disabled.")
        return None
    return True if wanted.publish and wanted.enable is None else wanted.enable


def _row(session: Session, instance: Instance, log: Log) -> GuestLog:
    row = session.get(GuestLog, (instance.id, log.name))
    if row is None:
        row = GuestLog(instance_id=instance.id, name=log.name, updated=clock.now())
        session.add(row)
    return row


def _require_unlocked(session: Session, instance: Instance, log: Log, *, on: bool) -> None:
    session.flush()
    if log.switch and log.switch.is_on(overrides.effective(session, instance)) is not on:
        raise errors.Forbidden(f"The operator has locked {log.switch.setting}: the log {log.name} stays as it is.")


@change_log.step(minutes=5)
def switch(ctx: Context[World]) -> Outcome:
    if not ctx.memory["switch"]:
        return None
    answer = mailbox.ask(ctx, ctx.subject, "configure", overrides=overrides.current(ctx))
    if answer is None:
        return servers.await_guest(ctx, "the log is being switched")

    def write(session: Session) -> None:
        if answer.get("restart_required"):
            idle = (Instance.id == ctx.subject) & (Instance.task == Task.NONE)
            session.execute(update(Instance).where(idle).values(task=Task.RESTART_REQUIRED))
        overrides.note(session, ctx.subject, answer.get("fault"))

    ctx.record(write)
    return None


@change_log.step()
def discard(ctx: Context[World]) -> Outcome:
    if ctx.memory["discard"]:
        with ctx.database.read() as session:
            keys = [each.place + each.name for each in objects(session, ctx.subject, ctx.memory["log"])]
            where = place(session, ctx.world.settings.logs.container, ctx.subject, ctx.memory["log"])
        store = deployment.store(ctx.world.settings)
        for key in (*keys, where.metafile_key):
            store.delete(key)
        ctx.record(lambda session: _forget(session, ctx.subject, ctx.memory["log"]))
    return None


@change_log.step(minutes=5)
def look(ctx: Context[World]) -> Outcome:
    """What is to be published is settled before anything is sent."""
    if not ctx.memory["publish"]:
        return None
    answer = mailbox.ask(ctx, ctx.subject, "logs")
    if answer is None:
        return servers.await_guest(ctx, "the guest looks how much there is of the log")
    logs = answer.get("logs")
    told = extent(logs.get(ctx.memory["log"]) if isinstance(logs, dict) else None)
    with ctx.database.read() as session:
        row = session.get_one(GuestLog, (ctx.subject, ctx.memory["log"]))
        where = place(session, ctx.world.settings.logs.container, ctx.subject, row.name)
    first = max(told.start, row.position)
    ctx.memory["first"] = first
    ctx.memory["until"] = max(first, min(told.end, first + LONGEST))
    ctx.memory["digest"] = told.digest
    ctx.memory["place"] = where.key("")
    return None


@change_log.step(minutes=30)
def send(ctx: Context[World]) -> Outcome:
    """The guest brings it to the conductor (conductor/bulk.py), which lets it write what was asked for and no more."""
    if not ctx.memory["publish"]:
        return None
    told = {name: ctx.memory[name] for name in ("log", "first", "until", "place")}
    answer = mailbox.ask(ctx, ctx.subject, "publish_log", **told)
    if answer is None:
        return servers.await_guest(ctx, "the log is being published")
    brought = answer.get("until")
    if not isinstance(brought, int):
        raise errors.GuestFailed("the guest does not say how much it has brought")
    ctx.memory["until"] = max(ctx.memory["first"], min(brought, ctx.memory["until"]))
    return None


@change_log.step()
def tell(ctx: Context[World]) -> Outcome:
    """Write down what there is, in the row and in the store, and let go of what is too old or too much."""
    if not ctx.memory["publish"]:
        return None
    with ctx.database.read() as session:
        row = session.get_one(GuestLog, (ctx.subject, ctx.memory["log"]))
        where = place(session, ctx.world.settings.logs.container, ctx.subject, row.name)
        surplus = _surplus(session, row, ctx.world.settings.logs.most_megabytes * MEGABYTE)
    values = {
        "published": row.published + ctx.memory["until"] - ctx.memory["first"],
        "position": ctx.memory["until"],
        "digest": ctx.memory["digest"],
        "container": where.container,
    }
    _write_metafile(ctx, where, _kind(ctx, row.name), values)
    drop(ctx, surplus)
    mine = (GuestLog.instance_id == ctx.subject) & (GuestLog.name == row.name)
    ctx.record(lambda session: session.execute(update(GuestLog).where(mine).values(**values, updated=clock.now())))
    return None


@change_log.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    servers.note(session, run, f"the log {run.memory['log']}: {fault}")


def objects(session: Session, instance_id: str, log: str) -> list[LogObject]:
    """The published parts of a log, oldest first."""
    mine = (LogObject.instance_id == instance_id) & (LogObject.log == log)
    return list(session.scalars(select(LogObject).where(mine).order_by(LogObject.name)))


def drop(ctx: Context[World], rows: list[LogObject]) -> None:
    """From the store now, from the table with the step's commit."""
    store = deployment.store(ctx.world.settings)
    for each in rows:
        store.delete(each.place + each.name)
    keys = [(each.instance_id, each.log, each.name) for each in rows]

    def write(session: Session) -> None:
        for key in keys:
            if (row := session.get(LogObject, key)) is not None:
                session.delete(row)

    ctx.record(write)


def _surplus(session: Session, row: GuestLog, most: int) -> list[LogObject]:
    kept, surplus = 0, []
    for each in reversed(objects(session, row.instance_id, row.name)):
        kept += each.bytes
        if kept > most:
            surplus.append(each)
    return surplus


def _forget(session: Session, instance_id: str, log: str) -> None:
    session.execute(delete(LogObject).where(LogObject.instance_id == instance_id, LogObject.log == log))
    mine = (GuestLog.instance_id == instance_id) & (GuestLog.name == log)
    session.execute(
        update(GuestLog).where(mine).values(container="", published=0, position=0, digest="", updated=clock.now())
    )


def _kind(ctx: Context[World], name: str) -> Kind:
    with ctx.database.read() as session:
        engine = offers.get(session, session.get_one(Instance, ctx.subject).version_id).engine
    return next((each.kind for each in engine.logs if each.name == name), Kind.SYS)


def _write_metafile(ctx: Context[World], where: Place, kind: Kind, values: dict[str, Any]) -> None:
    """An object is written once: this one, which changes, is replaced."""
    text = {
        "log_name": where.log,
        "log_type": kind,
        "log_file": f"{where.log}.log",
        "log_size": values["published"],
        "log_header_digest": values["digest"],
    }
    store = deployment.store(ctx.world.settings)
    store.delete(where.metafile_key)
    with store.create(where.metafile_key) as out:
        out.write(json.dumps(text).encode())
