"""Schedules of backups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.client import naming, pages
from argosy.client.resources import Document
from argosy.client.session import Session


class Schedules:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, instance_id: str = "") -> Sequence[Document]:
        """All of the project's, or of one instance."""
        return list(pages.every(self._session, "/backup_schedules", "backup_schedules", instance_id=instance_id))

    def find(self, name_or_id: str) -> Document:
        """Raises NotFound; Rejected where several have the name."""
        return naming.one(self.list(), name_or_id, "schedule")

    def create(self, told: Mapping[str, Any]) -> Document:
        made: Document = self._session.post("/backup_schedules", {"backup_schedule": dict(told)})["backup_schedule"]
        return made

    def change(self, schedule_id: str, told: Mapping[str, Any]) -> Document:
        body = {"backup_schedule": dict(told)}
        changed: Document = self._session.put(f"/backup_schedules/{schedule_id}", body)["backup_schedule"]
        return changed

    def delete(self, schedule_id: str) -> None:
        self._session.delete(f"/backup_schedules/{schedule_id}")

    def run(self, schedule_id: str) -> str:
        """Id of the backup that has begun."""
        begun: str = self._session.post(f"/backup_schedules/{schedule_id}/run", {})["backup_id"]
        return begun
