"""Tell a webhook what happened: one event after the other, each until it is taken, at least once.

`position` is the last event that was told or passed over. It moves after each delivery, so a worker that is lost
repeats at most the one under way, with the same event id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.event_view import view
from argosy.db.session import Database, ring
from argosy.db.tables import Event, Lock, Webhook
from argosy.durable import queue
from argosy.durable.claims import changed
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.model import webhooks
from argosy.model.webhooks import State
from argosy.workflows.webhook_call import Undelivered
from argosy.workflows.world import World

deliver_webhook: Workflow[World] = Workflow("deliver_webhook", cancellable=True)

AT_ONCE = 100
"""Events looked at in one turn; others' webhooks have theirs in between."""
TURN = 5.0
"""Seconds after which a turn ends."""
MONTH = 30 * 24 * 60.0
"""Minutes: how long a webhook may fail is a setting, and far below."""
HOUR = 3600.0


def begin(database: Database) -> None:
    """Start delivering wherever there is something to deliver and nobody does."""
    with database.read() as session:
        pending = session.execute(_pending()).all()
    for webhook, project in pending:
        try:
            with database.write() as session:
                queue.enqueue(session, deliver_webhook, webhook, project_id=project)
        except errors.Busy:
            continue  # another worker was faster


def _pending() -> Any:
    later = exists().where(Event.project_id == Webhook.project_id, Event.seq > Webhook.position)
    held = exists().where(Lock.subject == Webhook.id)
    return select(Webhook.id, Webhook.project_id).where(Webhook.state == State.ACTIVE, later, ~held)


@deliver_webhook.step(minutes=MONTH)
def deliver(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        hook = session.get(Webhook, ctx.subject)
        found = _after(session, hook) if hook else []
    if hook is None or hook.state != State.ACTIVE or not found:
        ctx.record(lambda session: ring(session, "post"))  # something may have come after our look
        return None
    end = clock.monotonic() + TURN
    for event in found:
        if clock.monotonic() > end:
            break
        try:
            if webhooks.told(hook.kinds, event.kind):
                _send(ctx, hook, event)
        except Undelivered as fault:
            return _failed(ctx, hook, fault.message)
        _move(ctx.database, hook, event.seq)
    return Wait(0, "there is more to tell")


def _after(session: Session, hook: Webhook) -> Sequence[Event]:
    mine = select(Event).where(Event.project_id == hook.project_id, Event.seq > hook.position)
    return session.scalars(mine.order_by(Event.seq).limit(AT_ONCE)).all()


def _send(ctx: Context[World], hook: Webhook, event: Event) -> None:
    """Raises Undelivered."""
    body, now = json.dumps(view(event)).encode(), int(clock.now())
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "User-Agent": "argosy",
        "Argosy-Webhook": hook.id,
        "Argosy-Event": event.id,
        "Argosy-Timestamp": str(now),
        "Argosy-Signature": webhooks.sign(hook.secret, now, body),
    }
    ctx.world.deliver(ctx.world.settings.webhooks, hook.url, headers, body)


def _move(database: Database, hook: Webhook, seq: int) -> None:
    """Only forwards: a worker that was thought dead takes nothing back."""
    moved = {"position": seq, "failures": 0, "failing_since": None, "fault": ""}
    with database.write() as session:
        changed(session, update(Webhook).where(Webhook.id == hook.id, Webhook.position < seq).values(moved))
    for name, value in moved.items():
        setattr(hook, name, value)


def _failed(ctx: Context[World], hook: Webhook, fault: str) -> Outcome:
    """Try again later, or give up after the time that the settings give."""
    now, failures = clock.now(), hook.failures + 1
    since = min(hook.failing_since or now, now)
    told = {"failures": failures, "failing_since": since, "fault": fault}
    if now - since < ctx.world.settings.webhooks.give_up_hours * HOUR:
        ctx.record(lambda session: _note(session, hook, told))
        return Wait(webhooks.pause(failures), fault)
    ctx.record(lambda session: _give_up(session, hook, told))
    return None


def _note(session: Session, hook: Webhook, told: Mapping[str, Any]) -> bool:
    """False when its owner or another worker has changed it since."""
    mine = (Webhook.id == hook.id) & (Webhook.state == State.ACTIVE) & (Webhook.position == hook.position)
    return bool(changed(session, update(Webhook).where(mine).values(**told)))


def _give_up(session: Session, hook: Webhook, told: Mapping[str, Any]) -> None:
    if _note(session, hook, {**told, "state": State.FAILING, "updated": clock.now()}):
        payload = {"webhook_id": hook.id, "message": told["fault"]}
        events.tell(session, "dbaas.webhook_failing", subject=hook.id, project_id=hook.project_id, **payload)
