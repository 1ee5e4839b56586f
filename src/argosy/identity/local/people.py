"""Users, projects and who has which role where: the questions that several resources ask."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Account, ApplicationCredential, Project, RoleAssignment
from argosy.identity.local import tokens

DOMAIN = tokens.Ref("default", "Default")
"""The only one."""


@dataclass(frozen=True)
class Named:
    """A user or project as a client names it: by id, or by name in a domain."""

    id: str = ""
    name: str = ""


def find_account(session: Session, named: Named) -> Account | None:
    which = Account.id == named.id if named.id else Account.name == named.name
    return session.scalars(select(Account).where(which)).first()


def find_project(session: Session, named: Named) -> Project | None:
    which = Project.id == named.id if named.id else Project.name == named.name
    return session.scalars(select(Project).where(which)).first()


def either(session: Session, text: str) -> Named:
    """A project by its id or by its name: old clients do not say which."""
    return Named(id=text) if session.get(Project, text) else Named(name=text)


def account(session: Session, account_id: str, *, lock: bool = False) -> Account:
    """Raises NotFound. Locked, it stays as it is until the transaction ends.

    Everything that takes rights away locks the account first, and so does the issue of a token: either the token
    is there to be revoked, or it sees that the right is gone.
    """
    found = session.get(Account, account_id, with_for_update=lock or None)
    if found is None:
        raise errors.NotFound(f"user {account_id} cannot be found")
    return found


def project(session: Session, project_id: str) -> Project:
    """Raises NotFound."""
    found = session.get(Project, project_id)
    if found is None:
        raise errors.NotFound(f"project {project_id} cannot be found")
    return found


def assigned(session: Session, account_id: str, project_id: str) -> list[str]:
    ours = (RoleAssignment.account_id == account_id, RoleAssignment.project_id == project_id)
    return list(session.scalars(select(RoleAssignment.role).where(*ours)))


def projects_of(session: Session, account_id: str) -> list[Project]:
    """Where the user has a role, by name."""
    theirs = select(RoleAssignment.project_id).where(RoleAssignment.account_id == account_id)
    return list(session.scalars(select(Project).where(Project.id.in_(theirs)).order_by(Project.name)))


def credential(session: Session, account_id: str, credential_id: str) -> ApplicationCredential:
    """The user's own application credential. Raises NotFound."""
    found = session.get(ApplicationCredential, credential_id)
    if found is None or found.account_id != account_id:
        raise errors.NotFound(f"application credential {credential_id} cannot be found")
    return found
