"""The local identity as the API asks it: straight from the control database, without a call to anybody."""

from __future__ import annotations

from argosy import errors
from argosy.db.session import Database
from argosy.identity.local import tokens
from argosy.model.caller import Caller


class LocalIdentity:
    def __init__(self, database: Database) -> None:
        self.database = database

    def authenticate(self, token: str) -> Caller:
        with self.database.read() as session:
            bearer = tokens.find(session, token)
        if bearer is None:
            raise errors.Unauthorized
        if bearer.project is None:
            raise errors.Unauthorized("the token names no project: log in with one")
        account, project = bearer.account, bearer.project
        return Caller(account.id, account.name, project.id, project.name, frozenset(bearer.roles))
