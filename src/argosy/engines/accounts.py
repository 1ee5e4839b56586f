"""The facet Accounts: who may use a server and its databases, by the local administrative connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from argosy.model.guest import Secret

ANYWHERE = "%"
"""The host of an account that may come from everywhere, and of every account where hosts mean nothing."""


@dataclass(frozen=True)
class Database:
    name: str
    character_set: str = ""
    collate: str = ""


@dataclass(frozen=True)
class Account:
    """What tells one user from another: on MySQL and its kin a name is one user from here and another from there."""

    name: str
    host: str = ANYWHERE

    def __str__(self) -> str:
        return f"{self.name}@{self.host}"


@dataclass(frozen=True)
class User:
    name: str
    password: Secret
    host: str = ANYWHERE
    databases: tuple[str, ...] = ()

    @property
    def account(self) -> Account:
        return Account(self.name, self.host)


@runtime_checkable
class Accounts(Protocol):
    """All verbs may be repeated: what is done already stays done. Errors are `errors.GuestFailed` with the server's own
    words, or `errors.Rejected` where the server cannot do what is asked however often it is asked.
    """

    def put_master(self, password: Secret) -> None:
        """Create or reset the master user (`root`), with all rights that a tenant may have."""

    def disable_master(self) -> None:
        """Nobody is the master any more: no password is good, open sessions end. What it owns stays. `put_master`
        brings it back.
        """

    def list_databases(self) -> Sequence[str]:
        """The tenant's: what is the system's is hidden."""

    def put_database(self, database: Database) -> None: ...

    def drop_database(self, name: str) -> None:
        """With all that is in it and whoever is connected to it. A later one of the same name is nobody's."""

    def list_users(self) -> Sequence[Account]:
        """The tenant's: the master and what is the system's are hidden."""

    def access(self, accounts: Sequence[Account]) -> Mapping[Account, Sequence[str]]:
        """Which databases each of these users may enter, by name."""

    def put_user(self, user: User) -> None:
        """Create the user or set its password, and grant it all rights in its databases."""

    def drop_user(self, account: Account) -> None:
        """Its sessions end; what it owns becomes the master's."""

    def set_password(self, account: Account, password: Secret) -> None:
        """Open sessions stay."""

    def rename_user(self, account: Account, new: Account) -> None:
        """Password, rights and open sessions stay."""

    def grant(self, account: Account, databases: Sequence[str]) -> None:
        """All rights in these databases."""

    def revoke(self, account: Account, database: str) -> None:
        """The user cannot enter the database any more, and its sessions there end. Raises Rejected when it still could,
        by a right that is not its own.
        """
