"""The first users of a new deployment: an admin, and a tenant to begin with."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Account, Project, RoleAssignment
from argosy.identity.local import passwords, people
from argosy.identity.local.people import Named

FIRST = (("admin", "admin"), ("demo", "member"))
"""Each a user and a project of this name, with the role that the user has there."""


@dataclass(frozen=True)
class Credentials:
    user: str
    project: str
    password: str = field(repr=False)


def bootstrap(database: Database, keep: Callable[[tuple[Credentials, ...]], None]) -> None:
    """Make the first users where they are not there yet; `keep` stores the passwords of the new ones, told this once.

    `keep` is called before they are committed: a crash in between leaves passwords of nobody, never users whose
    password nobody knows. Called again it does nothing, whatever has been changed since.
    """
    with database.read() as session:
        if not _missing(session):
            return
    prepared = {name: _prepared(name) for name, _role in FIRST}
    with database.write() as session:
        missing = _missing(session)
        for name, role in missing:
            _make(session, name, role, prepared[name][1])
        session.flush()
        if missing:
            keep(tuple(prepared[name][0] for name, _role in missing))


def _prepared(name: str) -> tuple[Credentials, str]:
    """New credentials and the hash of their password, made outside of any transaction: hashing is slow."""
    credentials = Credentials(name, name, secrets.token_urlsafe(18))
    return credentials, passwords.hashed(credentials.password)


def _missing(session: Session) -> list[tuple[str, str]]:
    """Nobody is missing where there is any user: an operator who removed `demo` does not want it back."""
    return [] if people.find_account(session, Named(name=FIRST[0][0])) else list(FIRST)


def _make(session: Session, name: str, role: str, hashed: str) -> None:
    project = Project(id=uuid.uuid4().hex, name=name, description="")
    account = Account(id=uuid.uuid4().hex, name=name, password=hashed, default_project_id=project.id)
    session.add_all([project, account])
    session.add(RoleAssignment(account_id=account.id, project_id=project.id, role=role))
