"""Verbs about users and databases: looks while a client waits, and lists of changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from argosy import errors
from argosy.agent.guest import Guest
from argosy.agent.task import Task
from argosy.engines.accounts import ANYWHERE, Account, Accounts, Database, User
from argosy.engines.base import Driver
from argosy.model.guest import Secret
from argosy.model.wire import MAX_FRAME

Arguments = Mapping[str, Any]
Result = dict[str, Any]
View = dict[str, Any]

ROOM = MAX_FRAME * 3 // 4
"""bytes of one answer for users, who may have many databases: what does not fit comes with the next page"""


class AccountVerbs:
    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "list_databases": self.list_databases,
            "list_users": self.list_users,
            "find_accounts": self.find,
            "change_accounts": self.change,
            "reset_master": self.reset_master,
        }

    def list_databases(self, _task: Task, arguments: Arguments) -> Result:
        """At most `most` after the marker `after`, by name; `more` when that is not all."""
        names = sorted(name for name in self._accounts().list_databases() if name > arguments["after"])
        return {"databases": names[: arguments["most"]], "more": len(names) > arguments["most"]}

    def list_users(self, _task: Task, arguments: Arguments) -> Result:
        """Likewise by name@host, each with its databases."""
        accounts = self._accounts()
        found = sorted((each for each in accounts.list_users() if str(each) > arguments["after"]), key=str)
        views = _fitting(_views(accounts, found[: arguments["most"]]))
        return {"users": views, "more": len(found) > len(views)}

    def find(self, _task: Task, arguments: Arguments) -> Result:
        """Which of these databases and users there are."""
        accounts, wanted = self._accounts(), {Account(*each) for each in arguments["users"]}
        databases = sorted(
            set(accounts.list_databases()) & set(arguments["databases"]) if arguments["databases"] else ()
        )
        users = sorted(wanted & set(accounts.list_users()) if wanted else (), key=str)
        return {"databases": databases, "users": _views(accounts, users)}

    def change(self, task: Task, arguments: Arguments) -> Result:
        """One change after another; what has been done stays done when one fails."""
        accounts = self._accounts()
        for each in arguments["changes"]:
            task.check()
            CHANGES[each["do"]](accounts, each)
        return {}

    def reset_master(self, _task: Task, arguments: Arguments) -> Result:
        self._accounts().put_master(Secret(arguments["password"]))
        return {}

    def _accounts(self) -> Accounts:
        return of(self._guest.driver())


def of(driver: Driver) -> Accounts:
    """Raises NotSupported."""
    if not isinstance(driver, Accounts):
        raise errors.NotSupported("this engine has no accounts")
    return driver


def put(driver: Driver, arguments: Arguments) -> None:
    """The accounts of a new server."""
    accounts = of(driver)
    if arguments.get("master"):
        accounts.put_master(Secret(arguments["master"]))
    for each in arguments.get("databases", ()):
        accounts.put_database(_database(each))
    for each in arguments.get("users", ()):
        accounts.put_user(_user(each))


def _account(told: Arguments) -> Account:
    return Account(told["name"], told.get("host") or ANYWHERE)


def _database(told: Arguments) -> Database:
    return Database(told["name"], told.get("character_set") or "", told.get("collate") or "")


def _user(told: Arguments) -> User:
    return User(told["name"], Secret(told["password"]), _account(told).host, tuple(told.get("databases", ())))


def _views(accounts: Accounts, found: Sequence[Account]) -> list[View]:
    access = accounts.access(found) if found else {}
    return [{"name": each.name, "host": each.host, "databases": list(access.get(each, ()))} for each in found]


def _fitting(views: Iterable[View]) -> list[View]:
    """As many as one answer holds, and always one: so many databases as one user would need there are not."""
    kept: list[View] = []
    room = ROOM
    for view in views:
        room -= len(json.dumps(view))
        if room < 0 and kept:
            break
        kept.append(view)
    return kept


CHANGES: Mapping[str, Callable[[Accounts, Arguments], None]] = {
    "put_database": lambda accounts, told: accounts.put_database(_database(told)),
    "drop_database": lambda accounts, told: accounts.drop_database(told["name"]),
    "put_user": lambda accounts, told: accounts.put_user(_user(told)),
    "drop_user": lambda accounts, told: accounts.drop_user(_account(told)),
    "set_password": lambda accounts, told: accounts.set_password(_account(told), Secret(told["password"])),
    "rename_user": lambda accounts, told: accounts.rename_user(_account(told), _account(told["new"])),
    "grant": lambda accounts, told: accounts.grant(_account(told), tuple(told["databases"])),
    "revoke": lambda accounts, told: accounts.revoke(_account(told), told["database"]),
    "disable_master": lambda accounts, _told: accounts.disable_master(),
}
"""By the key `do` of a change."""
