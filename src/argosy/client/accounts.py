"""Databases and users of one instance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from argosy.client import pages
from argosy.client.session import Session

Document = dict[str, Any]


class Accounts:
    """A user is named by its name, or by name@host where the engine tells users apart by their hosts."""

    def __init__(self, session: Session, instance_id: str) -> None:
        self._session = session
        self._base = f"/instances/{instance_id}"

    def databases(self) -> Iterator[str]:
        for each in self._all("databases"):
            yield each["name"]

    def create_database(self, name: str, **options: str) -> None:
        """`character_set` and `collate` may be given."""
        self._session.post(f"{self._base}/databases", {"databases": [{"name": name, **options}]})

    def delete_database(self, name: str) -> None:
        self._session.delete(f"{self._base}/databases/{quote(name, safe='')}")

    def users(self) -> Iterator[Document]:
        return self._all("users")

    def user(self, name: str) -> Document:
        """Raises NotFound."""
        found: Document = self._session.get(self._of(name))["user"]
        return found

    def create_user(self, name: str, password: str, databases: Sequence[str] = (), host: str = "") -> None:
        user: Document = {"name": name, "password": password, "databases": _named(databases)}
        self._session.post(f"{self._base}/users", {"users": [{**user, "host": host} if host else user]})

    def update_user(self, name: str, /, **changes: str) -> None:
        """Another `name`, `host` or `password`."""
        self._session.request("PUT", self._of(name), {"user": changes})

    def delete_user(self, name: str) -> None:
        self._session.delete(self._of(name))

    def access(self, name: str) -> Sequence[str]:
        return [each["name"] for each in self._session.get(f"{self._of(name)}/databases")["databases"]]

    def grant(self, name: str, databases: Sequence[str]) -> None:
        self._session.request("PUT", f"{self._of(name)}/databases", {"databases": _named(databases)})

    def revoke(self, name: str, database: str) -> None:
        self._session.delete(f"{self._of(name)}/databases/{quote(database, safe='')}")

    def _of(self, name: str) -> str:
        return f"{self._base}/users/{quote(name, safe='')}"

    def _all(self, collection: str) -> Iterator[Document]:
        return pages.every(self._session, f"{self._base}/{collection}", collection)


def _named(databases: Sequence[str]) -> list[Document]:
    return [{"name": name} for name in databases]
