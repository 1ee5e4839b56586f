"""Ask a guest and wait a moment, for the few things that a client waits for: reads and resets."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.session import Database, ring
from argosy.db.tables import Command
from argosy.guest import mailbox

T = TypeVar("T")


class News(Protocol):
    """Waits for something to be written."""

    def until(self, look: Callable[[], T], good: Callable[[T], bool], seconds: float) -> T:
        """What `look` gives as soon as it is good, or what it gives after so many seconds."""


def call(
    database: Database, news: News, guest: str, verb: str, *, within: float = 3.0, **arguments: Any
) -> dict[str, Any]:
    """The guest's answer. Raises GuestSilent when there is none in time; the guest is then asked to leave it.

    What the guest refused or could not do is raised as it says.
    """
    asked = Command(id=f"call/{verb}/{uuid.uuid4()}", guest_id=guest, verb=verb, arguments=arguments)
    with database.write() as session:
        mailbox.send(session, asked)
    command = news.until(lambda: _look(database, asked.id), lambda seen: seen.answered, within)
    with database.write() as session:
        _settle(session, command)
    if not command.answered:
        raise errors.GuestSilent(f"guest {guest} did not answer within {within:g} s: try again later")
    return mailbox.outcome(command)


def _look(database: Database, name: str) -> Command:
    with database.read() as session:
        return session.get_one(Command, name)


def _settle(session: Session, command: Command) -> None:
    """Nobody will ask for this answer again; what was not done yet should not be done any more."""
    row = session.get_one(Command, command.id)
    if row.answered:
        session.delete(row)
    else:
        row.cancelled = True
        ring(session, "conductor")
