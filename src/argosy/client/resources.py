"""What can be asked of a deployment: instances, their operations, datastores, flavors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from argosy import errors
from argosy.client import operations, pages
from argosy.client.pages import Page
from argosy.client.session import Session

Document = dict[str, Any]
"""A resource as the API shows it."""
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Ambiguous(errors.Rejected):
    """several have this name: use an id"""

    status = 409


@dataclass(frozen=True)
class Request:
    """A database that somebody wants. Empty fields are left to the deployment's defaults."""

    name: str
    engine: str
    flavor: str
    gigabytes: int
    version: str = ""
    database: str = ""
    user: str = ""
    password: str = ""
    tls: str = ""
    public: bool = False
    allow: tuple[str, ...] = ()
    """networks that may connect from outside"""
    configuration: str = ""
    """id of the group that it is to follow"""
    modules: tuple[str, ...] = ()
    """ids of those that it is to be given"""
    tags: Mapping[str, str] = field(default_factory=dict)
    backup: str = ""
    """id of the one that it is to begin as"""
    restore: Mapping[str, str] = field(default_factory=dict)
    """the moment that it is to begin as: `instance`, and `at`, `transaction`, `position` or `before_statement`"""
    peek: int = 0
    """hours after which it goes by itself; 0: it stays"""
    client_token: str = ""
    """who asks again with the same one gets what the first request made"""
    protect: bool = False
    """deleted, it gets a last backup and can be brought back for some time"""
    recovery: bool = False
    """its log is archived from the first"""


class Client:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.instances = Instances(session)

    def datastores(self) -> Sequence[Document]:
        found: Sequence[Document] = self.session.get("/datastores")["datastores"]
        return found

    def datastore(self, name: str) -> Document:
        found: Document = self.session.get(f"/datastores/{name}")["datastore"]
        return found

    def authority(self) -> Document:
        """How the deployment's certificate authority is; for administrators."""
        found: Document = self.session.get("/mgmt/authority")["authority"]
        return found

    def rotate_authority(self, overlap_days: int) -> Document:
        begun: Document = self.session.post("/mgmt/authority", {"rotate": {"overlap_days": overlap_days}})["authority"]
        return begun

    def flavors(self) -> Sequence[Document]:
        found: Sequence[Document] = self.session.get("/flavors")["flavors"]
        return found

    def quotas(self, project: str = "") -> Sequence[Document]:
        """Of the own project, or of another one, by its id."""
        named = project or self.session.endpoint.rpartition("/")[2]
        found: Sequence[Document] = self.session.get(f"/mgmt/quotas/{quote(named, safe='')}")["quotas"]
        return found

    def set_quotas(self, project: str, limits: Mapping[str, int]) -> None:
        self.session.request("PUT", f"/mgmt/quotas/{quote(project, safe='')}", {"quotas": dict(limits)})


class Instances:
    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> Iterator[Document]:
        """All of the project's, page by page."""
        return pages.every(self._session, "/instances/detail", "instances")

    def page(self, marker: str = "") -> Page:
        """Some of them."""
        return pages.page(self._session, "/instances/detail", "instances", marker)

    def get(self, instance_id: str) -> Document:
        """Raises NotFound."""
        found: Document = self._session.get(f"/instances/{instance_id}")["instance"]
        return found

    def find(self, name_or_id: str) -> Document:
        """Raises NotFound, or Ambiguous naming the ids."""
        if UUID.fullmatch(name_or_id):
            return self.get(name_or_id)
        named = [each["id"] for each in self.list() if each["name"] == name_or_id]
        if not named:
            raise errors.NotFound(f"there is no instance {name_or_id}: argosy db list shows all")
        if len(named) > 1:
            raise Ambiguous(f"{len(named)} instances are called {name_or_id}: use an id, {' or '.join(named)}")
        return self.get(named[0])

    def create(self, request: Request) -> Document:
        """The new instance; its key `password`, where there is one, is told only now."""
        made: Document = self._session.post("/instances", {"instance": _body(request)})["instance"]
        return made

    def delete(self, instance_id: str, *, skip_final_backup: bool = False, delete_backups: bool = False) -> None:
        """A protected one gets a last backup unless `skip_final_backup`; backups stay unless `delete_backups`."""
        wanted = {"skip_final_backup": skip_final_backup, "delete_backups": delete_backups}
        asked = "&".join(f"{name}=true" for name, value in wanted.items() if value)
        self._session.delete(f"/instances/{instance_id}" + (f"?{asked}" if asked else ""))

    def change(self, instance_id: str, body: Document) -> None:
        """What `PUT` takes: `{"access": {"is_public": true}}`, `{"name": "m2"}`, …"""
        self._session.put(f"/instances/{instance_id}", {"instance": body})

    def restart(self, instance_id: str) -> None:
        self.act(instance_id, {"restart": {}})

    def undos(self, instance_id: str) -> Sequence[Document]:
        """What its data can be made again, the latest first."""
        found: Sequence[Document] = self._session.get(f"/instances/{instance_id}/undos")["undos"]
        return found

    def forget_undo(self, instance_id: str, undo_id: str) -> None:
        self._session.delete(f"/instances/{instance_id}/undos/{undo_id}")

    def act(self, instance_id: str, action: Document) -> None:
        """Whatever `…/action` takes: `{"resize": {"flavorRef": "3"}}`, `{"stop": {}}`, …"""
        self._session.post(f"/instances/{instance_id}/action", action)

    def upgrade(self, instance_id: str, version: str) -> None:
        """To a later version of its datastore, by name or id."""
        self._session.request("PATCH", f"/instances/{instance_id}", {"instance": {"datastore_version": version}})

    def reset_password(self, instance_id: str) -> str:
        """A new password of the master user, told only now."""
        user = self._session.post(f"/instances/{instance_id}/root")["user"]
        return str(user["password"])

    def recovery(self, instance_id: str) -> Document:
        """Which moments it can be restored to."""
        found: Document = self._session.get(f"/instances/{instance_id}/recovery")["recovery"]
        return found

    def change_recovery(self, instance_id: str, wanted: Mapping[str, Any]) -> Document:
        """Archive its log or not (`enabled`), for so long (`keep_days`)."""
        told: Document = self._session.put(f"/instances/{instance_id}/recovery", {"recovery": dict(wanted)})["recovery"]
        return told

    def tls(self, instance_id: str) -> Document:
        """How it speaks TLS, with the certificate that it shows."""
        told: Document = self._session.get(f"/instances/{instance_id}/ssl", include_certificate="true")["ssl"]
        return told

    def change_tls(self, instance_id: str, **body: Any) -> Document:
        """Once it is so: how it speaks TLS now."""
        told: Document = self._session.post(f"/instances/{instance_id}/ssl", {"ssl": body})["ssl"]
        return told

    def tls_client(self, instance_id: str, name: str, days: int) -> Document:
        """A certificate for a client, and its key, told only now."""
        asked = {"client": {"name": name, "days": days}}
        told: Document = self._session.post(f"/instances/{instance_id}/ssl/clients", asked)["client"]
        return told

    def tags(self, instance_id: str) -> Document:
        told: Document = self._session.get(f"/instances/{instance_id}/tags")["tags"]
        return told

    def set_tags(self, instance_id: str, tags: Mapping[str, str]) -> Document:
        """These and no others."""
        told: Document = self._session.put(f"/instances/{instance_id}/tags", {"tags": dict(tags)})["tags"]
        return told

    def disable_master(self, instance_id: str) -> None:
        """No password of the master user is good any more."""
        self._session.delete(f"/instances/{instance_id}/root")

    def follow(self, instance_id: str) -> Iterator[Sequence[Document]]:
        """The operations now, and again whenever something has changed."""
        return operations.follow(self._session, f"/instances/{instance_id}")

    def cancel(self, instance_id: str, operation_id: str) -> None:
        """One of its operations, by its id."""
        self._session.post(f"/instances/{instance_id}/operations/{operation_id}/cancel")

    def operations(self, instance_id: str, *, since: str = "", wait: float = 0) -> Document:
        """Every operation with its steps; with `wait`, once something has changed since the answer named by `since`."""
        return operations.told(self._session, f"/instances/{instance_id}", since=since, wait=wait)


def _body(request: Request) -> Document:
    body: Document = {
        "name": request.name,
        "flavorRef": request.flavor,
        "volume": {"size": request.gigabytes},
        "datastore": {"type": request.engine} if request.engine else {},
    }
    if request.version:
        body["datastore"]["version"] = request.version
    if request.tls:
        body["tls_mode"] = request.tls
    if request.public or request.allow:
        body["access"] = {"is_public": request.public, "allowed_cidrs": list(request.allow)}
    if request.modules:
        body["modules"] = [{"id": each} for each in request.modules]
    plain = {"configuration": request.configuration, "tags": dict(request.tags), "client_token": request.client_token}
    body |= {name: value for name, value in {**plain, **_origin(request)}.items() if value}
    if request.protect:
        body["deletion_protection"] = True
    if request.recovery:
        body["recovery"] = {"enabled": True}
    if request.database:
        body["databases"] = [{"name": request.database}]
    if request.user:
        databases = [{"name": request.database}] if request.database else []
        body["users"] = [{"name": request.user, "password": request.password, "databases": databases}]
    return body


def _origin(request: Request) -> Document:
    """What its data begin as."""
    point = {"backupRef": request.backup} if request.backup else dict(request.restore)
    return {"restorePoint": point, "peek": {"hours": request.peek} if request.peek else None}
