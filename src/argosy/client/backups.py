"""Backups of the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.client import operations, pages
from argosy.client.pages import Page
from argosy.client.resources import UUID, Ambiguous, Document
from argosy.client.session import Session


@dataclass(frozen=True)
class NewBackup:
    """A backup that somebody wants. Empty fields are left to the deployment's defaults."""

    name: str
    instance_id: str
    description: str = ""
    parent_id: str = ""
    incremental: bool = False
    container: str = ""
    strategy: str = ""
    driver: str = ""
    limits: Mapping[str, int] | None = None


class Backups:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, instance_id: str = "") -> Iterator[Document]:
        """All of the project's, newest first, page by page; of one instance where one is named."""
        return pages.every(self._session, "/backups", "backups", **_of(instance_id))

    def page(self, instance_id: str = "", marker: str = "") -> Page:
        """Some of them."""
        return pages.page(self._session, "/backups", "backups", marker, **_of(instance_id))

    def get(self, backup_id: str) -> Document:
        """Raises NotFound."""
        found: Document = self._session.get(f"/backups/{backup_id}")["backup"]
        return found

    def find(self, name_or_id: str) -> Document:
        """Raises NotFound, or Ambiguous naming the ids."""
        if UUID.fullmatch(name_or_id):
            return self.get(name_or_id)
        named = [each["id"] for each in self.list() if each["name"] == name_or_id]
        if not named:
            raise errors.NotFound(f"there is no backup {name_or_id}: argosy backup list shows all")
        if len(named) > 1:
            raise Ambiguous(f"{len(named)} backups are called {name_or_id}: use an id, {' or '.join(named)}")
        return self.get(named[0])

    def create(self, wanted: NewBackup) -> Document:
        made: Document = self._session.post("/backups", {"backup": _body(wanted)})["backup"]
        return made

    def register(self, name: str, location: str, version_id: str, size: float) -> Document:
        """One that this deployment does not know, by the `locationRef` that another one told."""
        told = {"remote_location": location, "local_datastore_version_id": version_id, "size": size}
        made: Document = self._session.post("/backups", {"backup": {"name": name, "restore_from": told}})["backup"]
        return made

    def delete(self, backup_id: str) -> None:
        """With all that builds on it."""
        self._session.delete(f"/backups/{backup_id}")

    def change(self, backup_id: str, told: Mapping[str, object]) -> None:
        """`name`, `description`, `deletion_protection`."""
        self._session.put(f"/backups/{backup_id}", {"backup": dict(told)})

    def act(self, backup_id: str, told: Mapping[str, object]) -> None:
        """What operators decide: `hold` (`until`), `release`."""
        self._session.post(f"/mgmt/backups/{backup_id}/action", dict(told))

    def prove(self, backup_id: str) -> Document:
        """Have it tried; the trial as it begins."""
        begun: Document = self._session.post(f"/backups/{backup_id}/drills")["drill"]
        return begun

    def drills(self, backup_id: str) -> Iterator[Document]:
        """Newest first."""
        return pages.every(self._session, f"/backups/{backup_id}/drills", "drills")

    def cancel(self, backup_id: str) -> None:
        self._session.post(f"/backups/{backup_id}/cancel")

    def operations(self, backup_id: str) -> Sequence[Document]:
        """Newest first, with their steps."""
        found: Sequence[Document] = operations.told(self._session, f"/backups/{backup_id}")["operations"]
        return found

    def follow(self, backup_id: str) -> Iterator[Sequence[Document]]:
        """The operations now, and again whenever something has changed."""
        return operations.follow(self._session, f"/backups/{backup_id}")


def _of(instance_id: str) -> dict[str, str]:
    return {"instance_id": instance_id} if instance_id else {}


def _body(wanted: NewBackup) -> Document:
    optional = {
        "description": wanted.description,
        "parent_id": wanted.parent_id,
        "swift_container": wanted.container,
        "strategy": wanted.strategy,
        "storage_driver": wanted.driver,
        "limits": dict(wanted.limits or {}),
    }
    body: Document = {"name": wanted.name, "instance": wanted.instance_id, "incremental": int(wanted.incremental)}
    return body | {name: value for name, value in optional.items() if value}
