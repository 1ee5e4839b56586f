"""Sees to it that nothing changes without an event: every call of every test that changes something must tell of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from argosy.api.application import ROUTE, Application
from argosy.db.session import Database

READING = ("GET", "HEAD")
SILENT: Mapping[tuple[str, str], str] = {
    (
        "POST",
        "/v1.0/{project}/instances/{id}/log",
    ): "with a name alone it reads: what is written is a question to the guest",
}
"""Method and route of calls that change what nobody sees, with the reason."""
EVENTS = "SELECT COALESCE(MAX(value), 0) FROM counters WHERE name = 'events'"


def witnessed(app: Application, database: Database) -> Application:
    """Fails the test whose call answers 2xx, has changed the control database, and has told no event.

    Only SQLite tells whether anything was changed: a call that is repeated and changes nothing is not news.
    """
    if database.dialect != "sqlite":
        return app

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, headers, *more)

        with closing(sqlite3.connect(database.url.database or "")) as connection:
            before = _seen(connection)
            answer = app(environ, start)
            after = _seen(connection)
        _judge(environ["REQUEST_METHOD"], environ.get(ROUTE, ""), statuses[-1], before, after)
        return answer

    return call


def _seen(connection: sqlite3.Connection) -> tuple[int, int]:
    """Whether somebody else has committed since (sqlite.org, pragma data_version), and the number of events."""
    version, events = connection.execute("PRAGMA data_version").fetchone(), connection.execute(EVENTS).fetchone()
    return version[0], events[0]


def _judge(method: str, route: str, status: str, before: tuple[int, int], after: tuple[int, int]) -> None:
    changed, told = before[0] != after[0], after[1] > before[1]
    if method in READING or not status.startswith("2") or (method, route) in SILENT:
        return
    assert told or not changed, f"{method} {route} answered {status} and changed something without an event"
