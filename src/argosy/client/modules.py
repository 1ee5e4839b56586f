"""Modules, and the instances that are given them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from argosy.client import naming
from argosy.client.resources import Document
from argosy.client.session import Session


class Modules:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Sequence[Document]:
        found: Sequence[Document] = self._session.get("/modules")["modules"]
        return found

    def find(self, name_or_id: str) -> Document:
        """Raises NotFound; Rejected where several have the name."""
        return naming.one(self.list(), name_or_id, "module")

    def create(self, name: str, kind: str, contents: bytes, description: str) -> Document:
        body = {"name": name, "module_type": kind, "contents": base64.b64encode(contents).decode()}
        body |= {"description": description} if description else {}
        made: Document = self._session.post("/modules", {"module": body})["module"]
        return made

    def delete(self, module_id: str) -> None:
        self._session.delete(f"/modules/{module_id}")

    def of_instance(self, instance_id: str) -> Sequence[Document]:
        found: Sequence[Document] = self._session.get(f"/instances/{instance_id}/modules")["modules"]
        return found

    def apply(self, instance_id: str, modules: Sequence[str]) -> Sequence[Document]:
        """By their ids; how each has ended."""
        body = {"modules": [{"id": each} for each in modules]}
        told: Sequence[Document] = self._session.post(f"/instances/{instance_id}/modules", body)["modules"]
        return told

    def remove(self, instance_id: str, module_id: str) -> None:
        self._session.delete(f"/instances/{instance_id}/modules/{module_id}")
