"""Users of Redis, by the administrator's socket. Passwords reach the server as digests only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.accounts import Account, Database, User
from argosy.engines.administration import translated
from argosy.engines.redis import ENGINE, wire
from argosy.engines.redis.configuration import TENANT_RULES, digest
from argosy.model.guest import Secret, Site

ADMINISTRATOR = "os_admin"
PATIENCE = 30.0


class RedisAccounts:
    """The facet Accounts. Redis has no named databases: every user may use every key, from everywhere."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def put_master(self, password: Secret) -> None:
        self._put(ENGINE.master, password)

    def disable_master(self) -> None:
        self._drop(ENGINE.master)

    def list_databases(self) -> Sequence[str]:
        return ()

    def put_database(self, database: Database) -> None:
        raise errors.NotSupported(f"Redis has no named databases: {database.name} cannot be made")

    def drop_database(self, name: str) -> None:
        raise errors.NotSupported(f"Redis has no named databases: {name} cannot be dropped")

    def list_users(self) -> Sequence[Account]:
        with self.session() as session:
            names = session.command("ACL", "USERS")
        assert isinstance(names, list)  # noqa: S101 - what the protocol promises
        return [Account(str(name)) for name in names if name not in ENGINE.names.reserved_users]

    def access(self, accounts: Sequence[Account]) -> Mapping[Account, Sequence[str]]:
        return {each: [] for each in accounts}

    def put_user(self, user: User) -> None:
        self._put(_checked(user.name), user.password)

    def drop_user(self, account: Account) -> None:
        self._drop(_checked(account.name))

    def set_password(self, account: Account, password: Secret) -> None:
        self._save("ACL", "SETUSER", _checked(account.name), "resetpass", digest(password))

    def rename_user(self, account: Account, new: Account) -> None:
        """Redis renames nobody: the new user gets the old one's rules and digests, then the old one goes with its
        sessions.
        """
        rules = self._rules(_checked(account.name))
        if rules:
            self._save("ACL", "SETUSER", _checked(new.name), "reset", *rules)
            self._drop(account.name)

    def grant(self, account: Account, databases: Sequence[str]) -> None:
        if databases:
            raise errors.NotSupported(f"Redis has no named databases: {account.name} has every key")

    def revoke(self, account: Account, database: str) -> None:
        raise errors.NotSupported(f"Redis has no named databases: {database} of {account.name} cannot be revoked")

    @property
    def socket(self) -> Path:
        return files.socket_path(self.site.state, "redis.sock")

    @property
    def secret(self) -> Path:
        """The administrator's password: beside, never on, the data volume."""
        return self.site.state / "administrator"

    def connect(self, seconds: float) -> wire.Connection:
        return wire.Connection(self.socket, ADMINISTRATOR, self.secret.read_text(encoding="ascii"), seconds)

    @contextmanager
    def session(self) -> Iterator[wire.Connection]:
        """The administrator's connection. Raises Unavailable, GuestFailed, BadRequest."""
        with translated("Redis", wire.ServerError, wire.comes_or_goes), self.connect(PATIENCE) as session:
            yield session

    def _put(self, name: str, password: Secret) -> None:
        self._save("ACL", "SETUSER", name, "reset", "on", digest(password), *TENANT_RULES)

    def _drop(self, name: str) -> None:
        """The server ends the sessions of a user that it deletes."""
        self._save("ACL", "DELUSER", name)

    def _save(self, *command: str) -> None:
        """In memory and, before anybody is told that it is done, on disk."""
        with self.session() as session:
            session.command(*command)
            session.command("ACL", "SAVE")

    def _rules(self, name: str) -> Sequence[str]:
        """As the access list has them; nothing where it does not know the user."""
        with self.session() as session:
            lines = session.command("ACL", "LIST")
        assert isinstance(lines, list)  # noqa: S101 - what the protocol promises
        found = [str(line).split() for line in lines]
        return next((words[2:] for words in found if words[1] == name), ())


def _checked(name: str) -> str:
    """A tenant's own. Raises BadRequest."""
    if name in ENGINE.names.reserved_users:
        raise errors.BadRequest(f"the user name {name} is reserved")
    if not name or any(each.isspace() or each == "\0" for each in name):
        raise errors.BadRequest(f"{name!r} cannot be a name in Redis: use one without blanks and NUL")
    return name
