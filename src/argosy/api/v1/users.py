"""Users of an instance, by name or name@host. The master and what is the engine's own is hidden, and refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from argosy import errors
from argosy.api import paging
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import account_changes, accounts, asking
from argosy.api.v1.account_changes import Found, Wish
from argosy.engines.accounts import Account, User
from argosy.engines.base import Capability, Engine, Names
from argosy.workflows import change_accounts
from argosy.workflows.change_accounts import Plan

CHANGEABLE = ("name", "password", "host")


def index(request: Request) -> Answer:
    """By name@host."""
    most, after = paging.limit(request), paging.marker(request)
    with asking.seat(request):
        with request.services.database.read() as session:
            asked = asking.running(session, request, Capability.ACCOUNTS)
        page = asking.ask(request, asked.instance.id, "list_users", after=after, most=most)
    views = [view(each) for each in page["users"]]
    last = f"{views[-1]['name']}@{views[-1]['host']}" if page["more"] else None
    return Answer(200, paging.page(request, "users", views, last))


def show(request: Request) -> Answer:
    return Answer(200, {"user": view(one(request))})


def one(request: Request, *needs: Capability) -> dict[str, Any]:
    """The user that the path names, as the guest tells it. Raises NotFound."""
    name = request.path["name"]
    with asking.seat(request):
        with request.services.database.read() as session:
            asked = asking.running(session, request, Capability.ACCOUNTS, *needs)
        account = accounts.account(name, asked.engine.names)
        users = account_changes.find(request, asked, [], [account])["users"]
    if not users:
        raise errors.NotFound(f"User {name} cannot be found on the instance.")
    found: dict[str, Any] = users[0]
    return found


def view(user: Mapping[str, Any]) -> dict[str, Any]:
    databases = [{"name": name} for name in user["databases"]]
    return {"name": user["name"], "host": user["host"], "databases": databases}


def create(request: Request) -> Answer:
    return _create(request, accounts.wanted(request.body, "users"))


def create_named(request: Request) -> Answer:
    """As openstacksdk asks: one user, whose name the path has too."""
    fields = accounts.wanted(request.body, "users")
    (user,) = fields.objects("users")[:1]
    return _create(request, Fields({"users": [{"name": request.path["name"], **user.values}]}))


def _create(request: Request, fields: Fields) -> Answer:
    def wish(engine: Engine) -> Wish:
        asked = accounts.new_users(fields, engine.names)
        databases = sorted({name for each in asked for name in each.databases})
        if databases:
            engine.require(Capability.DATABASES)
        return Wish(lambda found: _plan_create(found, asked), databases, [each.account for each in asked])

    return account_changes.change(request, wish)


def change_passwords(request: Request) -> Answer:
    fields = accounts.wanted(request.body, "users")

    def wish(engine: Engine) -> Wish:
        rules = engine.names
        asked = {accounts.existing(each, rules): accounts.password(each, rules) for each in fields.objects("users")}
        changes = [
            {"do": "set_password", **dataclasses.asdict(account), "password": password.value}
            for account, password in asked.items()
        ]

        def plan(found: Found) -> Plan:
            for account in asked:
                found.require_user(account)
            return Plan(change_accounts.change_passwords, changes, _named(list(asked)))

        return Wish(plan, users=list(asked))

    return account_changes.change(request, wish)


def update(request: Request) -> Answer:
    """Another name, host or password, or several of them at once."""
    fields = request.fields("user")
    if not any(key in fields for key in CHANGEABLE):
        raise errors.BadRequest("Validation error: user must have at least one of name, password and host")

    def wish(engine: Engine) -> Wish:
        account = accounts.account(request.path["name"], engine.names)
        new = _renamed(account, fields, engine.names)
        changes = _updates(account, new, fields, engine.names)

        def plan(found: Found) -> Plan:
            found.require_user(account, request.path["name"])
            if new != account and new in found.users:
                raise errors.BadRequest(f"User {new} exists already.")
            return Plan(change_accounts.update_user, changes, _named([account]))

        return Wish(plan, users=[account, new])

    return account_changes.change(request, wish)


def delete(request: Request) -> Answer:
    name = request.path["name"]

    def wish(engine: Engine) -> Wish:
        account = accounts.account(name, engine.names)

        def plan(found: Found) -> Plan:
            found.require_user(account, name)
            change = {"do": "drop_user", **dataclasses.asdict(account)}
            return Plan(change_accounts.delete_user, [change], _named([account]))

        return Wish(plan, users=[account])

    return account_changes.change(request, wish)


def _plan_create(found: Found, asked: Sequence[User]) -> Plan:
    for each in asked:
        if each.account in found.users:
            raise errors.BadRequest(f"User {each.account} exists already.")
        for name in each.databases:
            if name not in found.databases:
                raise errors.BadRequest(f"Database {name} of user {each.name} cannot be found on the instance.")
    changes = [{"do": "put_user", **dataclasses.asdict(each), "password": each.password.value} for each in asked]
    return Plan(change_accounts.create_users, changes, _named([each.account for each in asked]))


def _renamed(account: Account, fields: Fields, rules: Names) -> Account:
    name = accounts.user_name(fields, rules) if "name" in fields else account.name
    return Account(name, accounts.host(fields, rules) if "host" in fields else account.host)


def _updates(account: Account, new: Account, fields: Fields, rules: Names) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    if new != account:
        changes.append({"do": "rename_user", **dataclasses.asdict(account), "new": dataclasses.asdict(new)})
    if "password" in fields:
        password = accounts.password(fields, rules)
        changes.append({"do": "set_password", **dataclasses.asdict(new), "password": password.value})
    return changes


def _named(users: Sequence[Account]) -> dict[str, str]:
    return {"username": ", ".join(each.name for each in users)}
