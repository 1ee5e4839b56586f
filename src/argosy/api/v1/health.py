"""Whether this process can serve: it can when the control database answers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from argosy.api.exchange import Answer, Request
from argosy.db import agents
from argosy.db.session import Database
from argosy.db.tables import Fact
from argosy.model import release
from argosy.model.usage import Level


def show(request: Request) -> Answer:
    """The word OK, and on lines of their own what will need somebody before long."""
    if _alive(request.services.database):
        return Answer(200, text="\n".join(["OK", *_remarks(request.services.database)]))
    return Answer(503, text="the control database does not answer")


def head(request: Request) -> Answer:
    return Answer(204 if _alive(request.services.database) else 503)


def _alive(database: Database) -> bool:
    try:
        with database.read() as session:
            return session.scalar(select(1)) == 1
    except SQLAlchemyError:
        return False


def _remarks(database: Database) -> list[str]:
    with database.read() as session:
        fact, store = session.get(Fact, "room"), session.get(Fact, "store")
        old = agents.count_outdated(session, OURS)
    rooms = fact.value if fact else {}
    replacing = [f"{old} agents are of another release: they are being replaced"] if old else []
    return (
        replacing
        + _of_store(store)
        + [
            f"{each['level']}: {PLACES[place]} is {each['percent']:g} % full"
            for place, each in rooms.items()
            if each["level"] != Level.FINE
        ]
    )


def _of_store(fact: Fact | None) -> list[str]:
    """Without what it says itself, which is for operators."""
    if fact is None or fact.value["level"] == Level.FINE:
        return []
    percent = fact.value["percent"]
    wrong = "cannot be used: argosy store check says why" if percent is None else f"is {percent:g} % full"
    return [f"{fact.value['level']}: the object store {wrong}"]


OURS = release.agent()
"""What was installed when we started."""
PLACES = {"pool": "the pool of volumes", "disk": "the disk below the pool of volumes"}
