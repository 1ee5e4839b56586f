"""A login: prove who you are (slow, outside any transaction), then be granted a token (short, in one).

What was proved is looked at again in the transaction that issues the token, under a lock on the account: a password
changed meanwhile, a role taken away or a credential deleted leaves no token behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.session import Database
from argosy.db.tables import Account, ApplicationCredential
from argosy.identity.local import passwords, people, roles, tokens
from argosy.identity.local.attempts import Attempts
from argosy.identity.local.people import Named
from argosy.identity.local.tokens import Bearer, Grant, Ref
from argosy.settings import Identity


class Denied(errors.Unauthorized):
    """The request you have made requires authentication."""


@dataclass(frozen=True)
class Scope:
    """What a token shall open; without a project it opens only the list of projects."""

    project: Named | None


@dataclass(frozen=True)
class Confined:
    """An application credential opens one project, with the roles it was given."""

    id: str
    project_id: str
    roles: frozenset[str]


@dataclass(frozen=True)
class Proof:
    account_id: str
    method: str
    expires: float
    holds: Callable[[Session, Account], bool]
    """asked again in the transaction that issues the token"""
    confined: Confined | None = None


class Logins:
    def __init__(self, database: Database, options: Identity) -> None:
        self.database = database
        self.seconds = options.token_seconds
        self.attempts = Attempts(database, options.logins_per_minute)

    def by_password(self, user: Named, password: str) -> Proof:
        """Raises Denied or TooManyFailures, in the same time whether or not there is such a user."""
        with self.database.read() as session:
            account = people.find_account(session, user)
        stored = account.password if account else None
        who = f"user:{account.id}" if account else f"name:{user.id or user.name}"
        self.attempts.admit(who)
        if account is None or not passwords.matches(stored, password):
            return self._refused(who)
        return Proof(account.id, "password", self._end(), lambda _session, now: now.password == stored)

    def by_token(self, token: str) -> Proof:
        """Raises Denied. The new token ends with the old one, and opens nothing that the old one could not."""
        with self.database.read() as session:
            bearer = tokens.find(session, token)
        if bearer is None:
            raise Denied
        return Proof(bearer.account.id, "token", bearer.expires, _alive(token), _confined(bearer))

    def by_credential(self, credential_id: str, secret: str) -> Proof:
        """Raises Denied or TooManyFailures."""
        return self._by_secret(f"credential:{credential_id}", secret, ApplicationCredential.id == credential_id)

    def by_credential_name(self, user: Named, name: str, secret: str) -> Proof:
        """Raises Denied or TooManyFailures."""
        account_id = self._account_id(user)
        theirs = (ApplicationCredential.account_id == account_id) & (ApplicationCredential.name == name)
        return self._by_secret(f"key:{account_id}", secret, theirs)

    def by_api_key(self, user: Named, key: str) -> Proof:
        """Any application credential of the user with this secret. Raises Denied or TooManyFailures."""
        account_id = self._account_id(user)
        return self._by_secret(f"key:{account_id}", key, ApplicationCredential.account_id == account_id)

    def by_api_key_or_password(self, user: Named, key: str) -> Proof:
        """Raises Denied or TooManyFailures."""
        if self._credential(ApplicationCredential.account_id == self._account_id(user), key):
            return self.by_api_key(user, key)
        return self.by_password(user, key)

    def issue(self, proof: Proof, scope: Scope | None) -> tuple[str, Bearer]:
        """A token and what it opens; without a scope, for the user's default project if there is one.

        Raises Denied.
        """
        with self.database.write() as session:
            account = self.confirmed(session, proof)
            return tokens.issue(session, _granted(session, account, proof, scope))

    def confirmed(self, session: Session, proof: Proof) -> Account:
        """The account of whom this is the proof, locked. Raises Denied when it holds no longer."""
        account = session.get(Account, proof.account_id, with_for_update=True)
        if account is None or not account.enabled or not proof.holds(session, account):
            raise Denied
        return account

    def _by_secret(self, who: str, secret: str, which: ColumnElement[bool]) -> Proof:
        self.attempts.admit(who)
        found = self._credential(which, secret)
        if found is None:
            return self._refused(who)
        confined = Confined(found.id, found.project_id, frozenset(found.roles))
        end = min(self._end(), found.expires or self._end())
        return Proof(found.account_id, "application_credential", end, _still(found.id), confined)

    def _credential(self, which: ColumnElement[bool], secret: str) -> ApplicationCredential | None:
        mine = select(ApplicationCredential).where(which, ApplicationCredential.secret == tokens.digest(secret))
        with self.database.read() as session:
            found = session.scalars(mine).first()
        return found if found and (found.expires or self._end()) > clock.now() else None

    def _account_id(self, user: Named) -> str:
        with self.database.read() as session:
            account = people.find_account(session, user)
        return account.id if account else f"name:{user.id or user.name}"

    def _refused(self, who: str) -> Proof:
        self.attempts.failed(who)
        raise Denied

    def _end(self) -> float:
        return clock.now() + self.seconds


def _alive(token: str) -> Callable[[Session, Account], bool]:
    return lambda session, _now: tokens.find(session, token) is not None


def _confined(bearer: Bearer) -> Confined | None:
    if not bearer.application_credential_id or not bearer.project:
        return None
    return Confined(bearer.application_credential_id, bearer.project.id, frozenset(bearer.roles))


def _still(credential_id: str) -> Callable[[Session, Account], bool]:
    return lambda session, _now: session.get(ApplicationCredential, credential_id) is not None


def _granted(session: Session, account: Account, proof: Proof, scope: Scope | None) -> Grant:
    wanted = _wanted(account, proof, scope)
    project, owned = _opened(session, account, wanted, proof.confined)
    demanded = proof.confined is not None or (scope is not None and scope.project is not None)
    if project is None and demanded:
        raise Denied
    return Grant(
        account=Ref(account.id, account.name),
        project=project,
        roles=owned,
        methods=(proof.method,),
        expires=proof.expires,
        application_credential_id=proof.confined.id if proof.confined else None,
    )


def _wanted(account: Account, proof: Proof, scope: Scope | None) -> Named | None:
    if scope is not None:
        return scope.project
    if proof.confined:
        return Named(id=proof.confined.project_id)
    return Named(id=account.default_project_id) if account.default_project_id else None


def _opened(
    session: Session, account: Account, wanted: Named | None, confined: Confined | None
) -> tuple[Ref | None, tuple[str, ...]]:
    """The project, if the user may enter it, and the roles there."""
    project = people.find_project(session, wanted) if wanted else None
    if project is None or not project.enabled or (confined and confined.project_id != project.id):
        return None, ()
    owned = roles.effective(people.assigned(session, account.id, project.id))
    if confined:
        owned = tuple(role for role in owned if role in confined.roles)
    return (Ref(project.id, project.name), owned) if owned else (None, ())
