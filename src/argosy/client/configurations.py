"""Configuration groups, and what they may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy import errors
from argosy.client import pages
from argosy.client.resources import UUID, Document
from argosy.client.session import Session


class Configurations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Iterator[Document]:
        """All of them, page by page."""
        return pages.every(self._session, "/configurations", "configurations")

    def find(self, name_or_id: str) -> Document:
        """With its values. Raises NotFound; Rejected where several have the name."""
        if UUID.fullmatch(name_or_id):
            return self._get(name_or_id)
        found = [each["id"] for each in self.list() if each["name"] == name_or_id]
        if not found:
            raise errors.NotFound(f"there is no configuration {name_or_id}")
        if len(found) > 1:
            raise errors.Rejected(f"several configurations are called {name_or_id}: use an id of {', '.join(found)}")
        return self._get(found[0])

    def create(self, name: str, engine: str, version: str, values: Mapping[str, Any], description: str) -> Document:
        datastore = {"type": engine, **({"version": version} if version else {})}
        body = {"name": name, "values": dict(values), "datastore": datastore}
        body |= {"description": description} if description else {}
        made: Document = self._session.post("/configurations", {"configuration": body})["configuration"]
        return made

    def edit(self, configuration_id: str, values: Mapping[str, Any]) -> None:
        """These values anew, the others stay."""
        self._change("PATCH", configuration_id, values)

    def replace(self, configuration_id: str, values: Mapping[str, Any]) -> None:
        self._change("PUT", configuration_id, values)

    def delete(self, configuration_id: str) -> None:
        self._session.delete(f"/configurations/{configuration_id}")

    def instances(self, configuration_id: str) -> Sequence[Document]:
        """The first page of those that have it."""
        found: Sequence[Document] = self._session.get(f"/configurations/{configuration_id}/instances")["instances"]
        return found

    def attach(self, instance_id: str, configuration_id: str | None) -> None:
        """None: have the instance follow none."""
        body = {"instance": {"configuration": configuration_id}}
        self._session.request("PUT", f"/instances/{instance_id}", body)

    def parameters(self, engine: str, version: str) -> Sequence[Document]:
        """What may be set in this version, or in the engine's default one."""
        chosen = version or self._session.get(f"/datastores/{engine}")["datastore"]["default_version"]
        where = f"/datastores/{engine}/versions/{chosen}/parameters"
        found: Sequence[Document] = self._session.get(where)["configuration-parameters"]
        return found

    def _get(self, configuration_id: str) -> Document:
        found: Document = self._session.get(f"/configurations/{configuration_id}")["configuration"]
        return found

    def _change(self, method: str, configuration_id: str, values: Mapping[str, Any]) -> None:
        body = {"configuration": {"values": dict(values)}}
        self._session.request(method, f"/configurations/{configuration_id}", body)
