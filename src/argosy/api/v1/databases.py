"""Databases of an instance. What is the engine's own is hidden, and refused."""

from __future__ import annotations

import dataclasses

from argosy import errors
from argosy.api import paging
from argosy.api.exchange import Answer, Request
from argosy.api.v1 import account_changes, accounts, asking
from argosy.api.v1.account_changes import Found, Wish
from argosy.engines.accounts import Database
from argosy.engines.base import Capability, Engine
from argosy.workflows import change_accounts
from argosy.workflows.change_accounts import Plan


def index(request: Request) -> Answer:
    """By name."""
    most, after = paging.limit(request), paging.marker(request)
    with asking.seat(request):
        with request.services.database.read() as session:
            asked = asking.running(session, request, Capability.ACCOUNTS, Capability.DATABASES)
        page = asking.ask(request, asked.instance.id, "list_databases", after=after, most=most)
    names = page["databases"]
    views = [{"name": name} for name in names]
    return Answer(200, paging.page(request, "databases", views, names[-1] if page["more"] else None))


def create(request: Request) -> Answer:
    fields = accounts.wanted(request.body, "databases")

    def wish(engine: Engine) -> Wish:
        asked = accounts.databases(fields, engine.names)
        names = [each.name for each in asked]
        return Wish(lambda found: _plan_create(found, asked), databases=names)

    return account_changes.change(request, wish, Capability.DATABASES)


def delete(request: Request) -> Answer:
    name = request.path["name"]

    def plan(found: Found) -> Plan:
        found.require_database(name)
        change = {"do": "drop_database", "name": name}
        return Plan(change_accounts.delete_database, [change], {"dbname": name})

    def wish(engine: Engine) -> Wish:
        accounts.refuse_reserved_database(name, engine.names)
        return Wish(plan, databases=[name])

    return account_changes.change(request, wish, Capability.DATABASES)


def show(request: Request) -> Answer:
    """Nothing but its name is known of a database: Trove does not show one either."""
    raise errors.NotSupported(f"{request.links.path}: look at the list of databases")


def _plan_create(found: Found, asked: tuple[Database, ...]) -> Plan:
    for each in asked:
        if each.name in found.databases:
            raise errors.BadRequest(f"Database {each.name} exists already.")
    changes = [{"do": "put_database", **dataclasses.asdict(each)} for each in asked]
    return Plan(change_accounts.create_databases, changes, {"dbname": ", ".join(each.name for each in asked)})
