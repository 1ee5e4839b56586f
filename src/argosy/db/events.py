"""Tell what changed, in the transaction that changes it."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import event, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import actors
from argosy.db.session import ring
from argosy.db.tables import Counter, Event, Instance
from argosy.model.events import CATALOGUE

TOLD = "told"
"""`session.info[TOLD]`: events of this transaction that have no number yet"""


def tell(session: Session, kind: str, *, subject: str = "", project_id: str = "", **payload: Any) -> None:
    """An event of the catalogue about `subject`: an instance, whose own facts are added, or anything else by its id.

    The actor is whoever this thread acts for (db/actors.py). `payload` is JSON without secrets. Raises KeyError for
    a kind that is not in the catalogue.
    """
    told = CATALOGUE[kind].name
    instance = session.get(Instance, subject) if subject else None
    who = actors.current()
    row = Event(
        id=str(uuid.uuid4()),
        at=clock.now(),
        kind=told,
        project_id=instance.project_id if instance else project_id,
        instance_id=instance.id if instance else None,
        subject=subject,
        actor=who.user_id,
        actor_project=who.project_id,
        request_id=who.request_id,
        payload={**(_facts(instance) if instance else {}), **payload},
    )
    session.info.setdefault(TOLD, []).append(row)
    ring(session, "api")


def _facts(instance: Instance) -> dict[str, Any]:
    """What every notification of Trove about an instance carries, under its keys."""
    return {
        "tenant_id": instance.project_id,
        "instance_id": instance.id,
        "instance_name": instance.name,
        "instance_type_id": instance.flavor_id,
        "volume_size": instance.gigabytes,
        "region": instance.region,
    }


@event.listens_for(Session, "before_commit")
def _number(session: Session) -> None:
    """Numbers are taken last: their counter is held for no longer than the commit, and after every other lock."""
    if session.in_nested_transaction():
        return
    rows: list[Event] = session.info.pop(TOLD, [])
    if not rows:
        return
    first = _take(session, len(rows))
    for number, row in enumerate(rows, first):
        row.seq = number
        session.add(row)


def _take(session: Session, many: int) -> int:
    """The first of so many consecutive numbers."""
    session.flush()
    if not _raise(session, many):
        session.add(Counter(name="events", value=0))
        session.flush()
        _raise(session, many)
    counter = session.get_one(Counter, "events", populate_existing=True)
    return counter.value - many + 1


def _raise(session: Session, many: int) -> bool:
    raised = update(Counter).where(Counter.name == "events").values(value=Counter.value + many)
    done = session.execute(raised, execution_options={"synchronize_session": False})
    return bool(done.rowcount)  # type: ignore[attr-defined] # what an UPDATE gives
