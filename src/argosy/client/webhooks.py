"""Webhooks of the project."""

from __future__ import annotations

from collections.abc import Sequence

from argosy.client.resources import Document
from argosy.client.session import Session


class Webhooks:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Sequence[Document]:
        found: Sequence[Document] = self._session.get("/webhooks")["webhooks"]
        return found

    def get(self, webhook_id: str) -> Document:
        """Raises NotFound."""
        found: Document = self._session.get(f"/webhooks/{webhook_id}")["webhook"]
        return found

    def create(self, url: str, kinds: Sequence[str]) -> Document:
        """Its key `secret` is told only now."""
        body = {"webhook": {"url": url, "kinds": list(kinds)}}
        made: Document = self._session.post("/webhooks", body)["webhook"]
        return made

    def delete(self, webhook_id: str) -> None:
        self._session.delete(f"/webhooks/{webhook_id}")
