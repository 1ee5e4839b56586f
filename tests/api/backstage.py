"""What stands behind the API while a client waits: guests with accounts in memory, and a worker for operations."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from argosy import clock, errors
from argosy.agent import work
from argosy.agent.accounts import AccountVerbs
from argosy.agent.task import Task
from argosy.api.bell import Bell
from argosy.db.session import Database as ControlDatabase
from argosy.db.tables import Command
from argosy.durable.lease import Leases
from argosy.durable.runner import Runner
from argosy.engines.accounts import Account, Database, User
from argosy.guest import mailbox
from argosy.model import wire
from argosy.model.guest import Secret
from argosy.settings import Settings
from argosy.testing.fakes import Cloud, FakeProvider
from argosy.workflows.registry import WORKFLOWS
from argosy.workflows.world import World

PAUSE = 0.005


@dataclass
class Memory:
    """A server whose accounts are two dictionaries. It is a driver and its guest at once."""

    databases: dict[str, Database] = field(default_factory=dict)
    users: dict[Account, User] = field(default_factory=dict)
    master: Secret | None = None
    refusal: str = ""
    """what every change is answered with"""
    held: bool = False
    """whether it is long about a change"""

    def driver(self) -> Memory:
        return self

    def put_master(self, password: Secret) -> None:
        self._check()
        self.master = password

    def disable_master(self) -> None:
        self._check()
        self.master = None

    def list_databases(self) -> Sequence[str]:
        return list(self.databases)

    def put_database(self, database: Database) -> None:
        self._check()
        self.databases[database.name] = database

    def drop_database(self, name: str) -> None:
        self._check()
        self.databases.pop(name)

    def list_users(self) -> Sequence[Account]:
        return list(self.users)

    def access(self, accounts: Sequence[Account]) -> Mapping[Account, Sequence[str]]:
        return {each: self.users[each].databases for each in accounts}

    def put_user(self, user: User) -> None:
        self._check()
        self.users[user.account] = user

    def drop_user(self, account: Account) -> None:
        self._check()
        self.users.pop(account)

    def set_password(self, account: Account, password: Secret) -> None:
        self._check()
        self.put_user(User(account.name, password, account.host, self.users[account].databases))

    def rename_user(self, account: Account, new: Account) -> None:
        self._check()
        old = self.users.pop(account)
        self.put_user(User(new.name, old.password, new.host, old.databases))

    def grant(self, account: Account, databases: Sequence[str]) -> None:
        self._check()
        old = self.users[account]
        self.put_user(User(old.name, old.password, old.host, (*old.databases, *databases)))

    def revoke(self, account: Account, database: str) -> None:
        self._check()
        old = self.users[account]
        kept = tuple(each for each in old.databases if each != database)
        self.put_user(User(old.name, old.password, old.host, kept))

    def _check(self) -> None:
        if self.refusal:
            raise errors.GuestFailed(self.refusal)


@dataclass
class Backstage:
    """`guests` by the id of their instance: the others are silent."""

    settings: Settings
    database: ControlDatabase
    bell: Bell
    guests: dict[str, Memory] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        leases = Leases(self.database, "backstage", clock.now)
        world = World(self.settings, FakeProvider(Cloud()))
        runner = Runner(self.database, WORKFLOWS, world, clock.now, leases)
        while not self.over.wait(PAUSE):
            if self._answer_all() or runner.run_once():
                self.bell.ring()

    def _answer_all(self) -> int:
        with self.database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        due = [each for each in waiting if self._answers(each)]
        for command in due:
            reply = self._do(command)
            with self.database.write() as session:
                mailbox.answer(session, command.guest_id, reply)
        return len(due)

    def _answers(self, command: Command) -> bool:
        guest = self.guests.get(command.guest_id)
        return guest is not None and not (guest.held and command.verb == "change_accounts")

    def _do(self, command: Command) -> wire.Answer:
        guest: Any = self.guests[command.guest_id]
        asked = wire.Command(command.id, command.verb, command.arguments or {})
        try:
            return wire.Answer(
                command.id, AccountVerbs(guest).verbs[asked.verb](Task(asked, lambda _: None), asked.arguments)
            )
        except errors.ArgosyError as error:
            return wire.Answer(command.id, error=error.message, error_kind=work.kind(error))


@contextmanager
def standing(settings: Settings, database: ControlDatabase, bell: Bell) -> Iterator[Backstage]:
    made = Backstage(settings, database, bell)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.over.set()
        thread.join()
