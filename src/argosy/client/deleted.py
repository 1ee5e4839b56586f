"""What was deleted and can be brought back: instances, or backups."""

from __future__ import annotations

from collections.abc import Sequence

from argosy.client import naming, pages
from argosy.client.resources import Document
from argosy.client.session import Session


class Deleted:
    def __init__(self, session: Session, kind: str) -> None:
        """`kind`: `instances` or `backups`."""
        self._session = session
        self._name = f"deleted_{kind}"

    def list(self) -> Sequence[Document]:
        return list(pages.every(self._session, f"/{self._name}", self._name))

    def find(self, name_or_id: str) -> Document:
        """Raises NotFound; Rejected where several have the name."""
        return naming.one(self.list(), name_or_id, self._name.rstrip("s").replace("_", " "))

    def bring_back(self, found_id: str) -> None:
        self._session.post(f"/{self._name}/{found_id}/bring_back")

    def purge(self, found_id: str) -> None:
        """At once, and for good."""
        self._session.delete(f"/{self._name}/{found_id}")
