"""Which databases a user may enter."""

from __future__ import annotations

import dataclasses

from argosy.api.exchange import Answer, Request
from argosy.api.v1 import account_changes, accounts, users
from argosy.api.v1.account_changes import Found, Wish
from argosy.engines.base import Capability, Engine
from argosy.workflows import change_accounts
from argosy.workflows.change_accounts import Plan


def index(request: Request) -> Answer:
    user = users.one(request, Capability.DATABASES)
    return Answer(200, {"databases": users.view(user)["databases"]})


def grant(request: Request) -> Answer:
    fields = accounts.wanted(request.body, "databases")

    def wish(engine: Engine) -> Wish:
        account = accounts.account(request.path["name"], engine.names)
        names = [each.name for each in accounts.databases(fields, engine.names)]

        def plan(found: Found) -> Plan:
            found.require_user(account, request.path["name"])
            for name in names:
                found.require_database(name)
            change = {"do": "grant", **dataclasses.asdict(account), "databases": names}
            told = {"username": account.name, "database": ", ".join(names)}
            return Plan(change_accounts.grant_access, [change], told)

        return Wish(plan, names, [account])

    return account_changes.change(request, wish, Capability.DATABASES)


def revoke(request: Request) -> Answer:
    """Also of what was never granted: what counts is that the user cannot enter."""
    name, database = request.path["name"], request.path["database"]

    def wish(engine: Engine) -> Wish:
        account = accounts.account(name, engine.names)
        accounts.refuse_reserved_database(database, engine.names)

        def plan(found: Found) -> Plan:
            found.require_user(account, name)
            found.require_database(database)
            change = {"do": "revoke", **dataclasses.asdict(account), "database": database}
            return Plan(change_accounts.revoke_access, [change], {"username": account.name, "database": database})

        return Wish(plan, [database], [account])

    return account_changes.change(request, wish, Capability.DATABASES)
