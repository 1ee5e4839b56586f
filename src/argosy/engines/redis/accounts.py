"""Users of Redis, by the administrator's socket. Passwords reach the server as digests only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import files
from argosy.engines.base import Database, User
from argosy.engines.redis import ENGINE, wire
from argosy.engines.redis.configuration import TENANT_RULES, digest
from argosy.model.guest import Secret, Site

ADMINISTRATOR = "os_admin"
PATIENCE = 30.0


class RedisAccounts:
    """The facet Accounts. Redis has no named databases: every user may use every key."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def put_master(self, password: Secret) -> None:
        self._put(ENGINE.master, password)

    def put_database(self, database: Database) -> None:
        raise errors.NotSupported(f"Redis has no named databases: {database.name} cannot be made")

    def put_user(self, user: User) -> None:
        if user.name in ENGINE.names.reserved_users:
            raise errors.BadRequest(f"the user name {user.name} is reserved")
        if not user.name or any(each.isspace() or each == "\0" for each in user.name):
            raise errors.BadRequest(f"{user.name!r} cannot be a name in Redis: use one without blanks and NUL")
        self._put(user.name, user.password)

    def list_databases(self) -> Sequence[str]:
        return ()

    def list_users(self) -> Sequence[str]:
        with self.session() as session:
            names = session.command("ACL", "USERS")
        assert isinstance(names, list)  # noqa: S101 - what the protocol promises
        return sorted(str(name) for name in names if name not in ENGINE.names.reserved_users)

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
        """The administrator's connection. Its errors leave as GuestFailed with the server's words."""
        try:
            with self.connect(PATIENCE) as session:
                yield session
        except (OSError, wire.ServerError) as error:
            raise errors.GuestFailed(f"Redis: {error}") from error

    def _put(self, name: str, password: Secret) -> None:
        with self.session() as session:
            session.command("ACL", "SETUSER", name, "reset", "on", digest(password), *TENANT_RULES)
            session.command("ACL", "SAVE")
