"""Tokens: 256 random bits, stored hashed, expiring, revocable.

Whether a token still opens something is read from the database each time (one indexed row with its user and
project), so a revocation, a disabled user or a disabled project counts at once in every process.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Account, Project, Token

PREFIX = "argosy_"
"""Lets scanners for leaked secrets know what they found."""


@dataclass(frozen=True)
class Ref:
    id: str
    name: str


@dataclass(frozen=True)
class Grant:
    """What a login has earned, before there is a token for it."""

    account: Ref
    project: Ref | None
    roles: tuple[str, ...]
    methods: tuple[str, ...]
    expires: float
    application_credential_id: str | None = None


@dataclass(frozen=True)
class Bearer(Grant):
    """Who holds a token, and what it opens."""

    audit_id: str = ""
    issued: float = 0.0
    digest: str = ""

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


def issue(session: Session, grant: Grant) -> tuple[str, Bearer]:
    """A new token in clear, told this once, and what it opens."""
    token = PREFIX + secrets.token_urlsafe(32)
    issued, audit_id = clock.now(), secrets.token_urlsafe(16)
    row = Token(
        hash=digest(token),
        account_id=grant.account.id,
        project_id=grant.project.id if grant.project else None,
        roles=list(grant.roles),
        methods=list(grant.methods),
        application_credential_id=grant.application_credential_id,
        audit_id=audit_id,
        issued=issued,
        expires=grant.expires,
    )
    session.add(row)
    return token, Bearer(**vars(grant), audit_id=audit_id, issued=issued, digest=row.hash)


_LOOKUP = (
    select(Token, Account.name, Account.enabled, Project.name, Project.enabled)
    .join(Account, Account.id == Token.account_id)
    .outerjoin(Project, Project.id == Token.project_id)
)


def find(session: Session, token: str) -> Bearer | None:
    """Who holds it; None for a token that opens nothing (any more)."""
    found = session.execute(_LOOKUP.where(Token.hash == digest(token))).first()
    if found is None:
        return None
    row, account, account_enabled, project, project_enabled = found
    usable = account_enabled and (row.project_id is None or project_enabled) and row.expires > clock.now()
    return _bearer(row, account, project) if usable else None


def _bearer(row: Token, account: str, project: str | None) -> Bearer:
    return Bearer(
        account=Ref(row.account_id, account),
        project=Ref(row.project_id, project or "") if row.project_id else None,
        roles=tuple(row.roles),
        methods=tuple(row.methods),
        expires=row.expires,
        application_credential_id=row.application_credential_id,
        audit_id=row.audit_id,
        issued=row.issued,
        digest=row.hash,
    )


def revoke(session: Session, *, account: str = "", project: str = "", credential: str = "", hashed: str = "") -> None:
    """Forget the tokens to which everything told applies."""
    told = {
        Token.account_id: account,
        Token.project_id: project,
        Token.application_credential_id: credential,
        Token.hash: hashed,
    }
    which = [column == value for column, value in told.items() if value]
    if not which:
        raise ValueError("say which tokens to revoke")
    session.execute(delete(Token).where(*which))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
