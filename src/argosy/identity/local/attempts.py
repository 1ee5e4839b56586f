"""Failed logins are counted per user and minute in the database, so a restart forgives nothing.

The count is looked at before a password is checked and raised afterwards: requests that are already being checked
may overshoot the limit by as many as the process has threads.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from argosy import clock, errors
from argosy.db.session import Database
from argosy.db.tables import LoginFailure


class TooManyFailures(errors.RateLimited):
    """too many failed logins of this user"""

    status = 429


class Attempts:
    def __init__(self, database: Database, per_minute: int) -> None:
        self.database = database
        self.per_minute = per_minute

    def admit(self, who: str) -> None:
        """Raises TooManyFailures when `who` has failed too often in this minute."""
        now = clock.now()
        ours = select(LoginFailure.failures).where(
            LoginFailure.name == _key(who), LoginFailure.minute == int(now // 60)
        )
        with self.database.read() as session:
            failures = session.scalar(ours) or 0
        if failures >= self.per_minute:
            seconds = 60 - int(now % 60)
            raise TooManyFailures(f"too many failed logins of this user: wait {seconds} s", retry_after=seconds)

    def failed(self, who: str) -> None:
        key, minute = _key(who), int(clock.now() // 60)
        if self._raised(key, minute):
            return
        try:
            with self.database.write() as session:
                session.add(LoginFailure(name=key, minute=minute, failures=1))
        except IntegrityError:  # another request was the first of this minute meanwhile
            self._raised(key, minute)

    def _raised(self, key: str, minute: int) -> bool:
        more = (
            update(LoginFailure)
            .where(LoginFailure.name == key, LoginFailure.minute == minute)
            .values(failures=LoginFailure.failures + 1)
        )
        with self.database.write() as session:
            return bool(session.execute(more).rowcount)  # type: ignore[attr-defined]


def _key(who: str) -> str:
    return hashlib.sha256(who.encode(errors="replace")).hexdigest()
