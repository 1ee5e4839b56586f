"""Changes of databases and users: checked in the guest first, admitted, and for a moment waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy import clock, errors
from argosy.api.exchange import ACCEPTED, Answer, Request
from argosy.api.v1 import asking
from argosy.api.v1.asking import Asked
from argosy.db.tables import Instance, Run
from argosy.engines.accounts import Account
from argosy.engines.base import Capability, Engine
from argosy.workflows import change_accounts, servers
from argosy.workflows.change_accounts import Plan

PATIENCE = 10.0
"""Seconds that a request waits for those before it."""
A_MOMENT = 1.0
"""Seconds after which the client has its answer, done or not: lists show what is done."""


@dataclass(frozen=True)
class Found:
    """What of that which a request names there is."""

    databases: frozenset[str] = frozenset()
    users: frozenset[Account] = frozenset()

    def require_database(self, name: str) -> None:
        if name not in self.databases:
            raise errors.NotFound(f"Database {name} cannot be found on the instance.")

    def require_user(self, account: Account, name: str = "") -> None:
        if account not in self.users:
            raise errors.NotFound(f"User {name or account.name} cannot be found on the instance.")


@dataclass(frozen=True)
class Wish:
    """What somebody asks for: what to look for in the guest, and what then is to be done."""

    plan: Callable[[Found], Plan]
    """raises NotFound or BadRequest"""
    databases: Sequence[str] = ()
    users: Sequence[Account] = field(default=())


def change(request: Request, wish: Callable[[Engine], Wish], *needs: Capability) -> Answer:
    """202 once it is done, or after a moment. Raises what `carry_out` does."""
    carry_out(request, wish, *needs)
    return ACCEPTED


def carry_out(request: Request, wish: Callable[[Engine], Wish], *needs: Capability, within: float = A_MOMENT) -> bool:
    """Whether it was done in time. Raises what the wish or its plan does, and what the guest says."""
    with asking.seat(request):
        with request.services.database.read() as session:
            asked = asking.running(session, request, Capability.ACCOUNTS, *needs)
        servers.require_idle(asked.instance)
        run = _admitted(request, asked, wish(asked.engine))
        return asking.outcome(request, run.id, within)


def find(request: Request, asked: Asked, databases: Iterable[str], users: Iterable[Account]) -> dict[str, Any]:
    """The guest's answer to `find_accounts`."""
    pairs = [[each.name, each.host] for each in users]
    return asking.ask(request, asked.instance.id, "find_accounts", databases=list(databases), users=pairs)


def _admitted(request: Request, asked: Asked, wish: Wish) -> Run:
    """Looks again when somebody else came first: what they change may be what this request is about."""
    end = clock.monotonic() + PATIENCE
    while True:
        _await_turn(request, asked.instance.id, end - clock.monotonic())
        plan = wish.plan(_found(request, asked, wish))
        try:
            return _admit(request, asked, plan)
        except errors.Busy:
            if clock.monotonic() > end:
                raise


def _admit(request: Request, asked: Asked, plan: Plan) -> Run:
    with request.services.database.write() as session:
        instance = session.get_one(Instance, asked.instance.id)
        return change_accounts.admit(session, request.caller, instance, plan)


def _await_turn(request: Request, instance_id: str, seconds: float) -> None:
    def busy() -> bool:
        with request.services.database.read() as session:
            return change_accounts.busy(session, instance_id)

    request.services.bell.until(busy, lambda seen: not seen, seconds)


def _found(request: Request, asked: Asked, wish: Wish) -> Found:
    if not (wish.databases or wish.users):
        return Found()
    answer = find(request, asked, wish.databases, wish.users)
    users = frozenset(Account(each["name"], each["host"]) for each in answer["users"])
    return Found(frozenset(answer["databases"]), users)
