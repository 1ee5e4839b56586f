"""What every resource of the identity service works with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import falcon
from sqlalchemy import delete
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import events
from argosy.db.actors import Actor, acting
from argosy.db.session import Database
from argosy.db.tables import LoginFailure, Token
from argosy.identity.local import tokens
from argosy.identity.local.fields import printable
from argosy.identity.local.logins import Logins
from argosy.identity.local.tokens import Bearer
from argosy.settings import Settings

SWEEP_SECONDS = 60.0


class Service:
    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.logins = Logins(database, settings.identity)
        self._swept = 0.0
        self._sweeping = Lock()

    def bearer(self, req: falcon.Request) -> Bearer:
        """Whose X-Auth-Token came with the request. Raises Unauthorized."""
        with self.database.read() as session:
            found = tokens.find(session, req.get_header("X-Auth-Token") or "")
        if found is None:
            raise errors.Unauthorized("The request you have made requires authentication.")
        return found

    def admin(self, req: falcon.Request) -> Bearer:
        """Raises Unauthorized, or Forbidden for anybody but an admin."""
        return self.self_or_admin(req, "")

    def self_or_admin(self, req: falcon.Request, account_id: str) -> Bearer:
        """Raises Unauthorized, or Forbidden for anybody but this user and admins."""
        bearer = self.bearer(req)
        if bearer.is_admin or bearer.account.id == account_id:
            return bearer
        raise errors.Forbidden("You are not authorized to perform the requested action.")

    @contextmanager
    def change(self, bearer: Bearer) -> Iterator[Session]:
        """One transaction in the name of the bearer."""
        who = Actor(bearer.account.id, bearer.project.id if bearer.project else "")
        with acting(who), self.database.write() as session:
            yield session

    def sweep(self) -> None:
        """Remove expired tokens and old failures, once in a while."""
        now = clock.monotonic()
        with self._sweeping:
            due = not self._swept or now - self._swept > SWEEP_SECONDS
            self._swept = now if due else self._swept
        if due:
            with self.database.write() as session:
                session.execute(delete(Token).where(Token.expires < clock.now()))
                session.execute(delete(LoginFailure).where(LoginFailure.minute < int(clock.now() // 60)))


def asked(req: falcon.Request, name: str) -> str:
    """A parameter of the query, "" without it. Raises BadRequest for control characters."""
    value = req.params.get(name, "")
    if not isinstance(value, str) or not printable(value):
        raise errors.BadRequest(f"the parameter {name} must be given once, and printable")
    return value


def enabled_asked(req: falcon.Request) -> bool | None:
    """The parameter `enabled`, None without it; as in Keystone everything but `false` and `0` is true."""
    value = asked(req, "enabled")
    return None if not value else value.lower() not in ("false", "0")


def tell(session: Session, resource: str, verb: str, subject: str, **more: str) -> None:
    """An event of the deployment, as Keystone would have notified of it."""
    events.tell(session, f"identity.{resource}.{verb}", subject=subject, resource_info=subject, **more)
