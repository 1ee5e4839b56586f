"""Whether this process can serve: it can when the control database answers."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from argosy.api.exchange import Answer, Request
from argosy.db.session import Database


def show(request: Request) -> Answer:
    if _alive(request.services.database):
        return Answer(200, text="OK")
    return Answer(503, text="the control database does not answer")


def head(request: Request) -> Answer:
    return Answer(204 if _alive(request.services.database) else 503)


def _alive(database: Database) -> bool:
    try:
        with database.read() as session:
            return session.scalar(select(1)) == 1
    except SQLAlchemyError:
        return False
