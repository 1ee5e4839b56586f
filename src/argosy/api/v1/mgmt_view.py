"""An instance as administrators read it: with its server, its volume, its guest, and what is being done to it."""

from __future__ import annotations

import platform
from typing import Any

from argosy import clock
from argosy.api.exchange import Request
from argosy.api.v1 import instance_view
from argosy.api.v1.instance_rows import Seen
from argosy.db.tables import Instance
from argosy.model.guest import Health
from argosy.model.status import OPERATING, Task

GIGABYTE = 2**30
TASKS = {
    Task.NONE: "No tasks for the instance.",
    Task.BUILDING: "The instance is being built.",
    Task.REBOOTING: "The instance is being restarted.",
    Task.RESIZING: "The instance is being resized.",
    Task.UPGRADING: "The instance is being upgraded.",
    Task.RESTART_REQUIRED: "The instance needs a restart.",
    Task.PROMOTING: "The instance is becoming the source of its replicas.",
    Task.EJECTING: "The instance is being replaced as the source of its replicas.",
    Task.DETACHING: "The instance is being detached from its source.",
    Task.UPDATING: "The instance is being changed.",
    Task.STOPPING: "The instance is being stopped.",
    Task.DELETING: "The instance is being deleted.",
    Task.ERROR: "An operation on the instance has failed.",
}


def item(request: Request, seen: Seen, guarantees: list[str]) -> dict[str, Any]:
    instance = seen.instance
    return {
        **instance_view.detail(request, seen, guarantees),
        "server": _server(instance),
        "service_status": OPERATING[Health(seen.claim.health)] if seen.claim else None,
        "tenant_id": instance.project_id,
        "deleted": instance.deleted,
        "deleted_at": clock.timestamp(instance.deleted_at) if instance.deleted_at else None,
        "task_description": TASKS[Task(instance.task)],
    }


def whole(request: Request, seen: Seen, guarantees: list[str]) -> dict[str, Any]:
    """With the volume as it is in place of what was asked for."""
    view = item(request, seen, guarantees)
    if view["server"]:
        view["server"]["addresses"] = view.get("addresses", [])
    health = Health(seen.claim.health) if seen.claim else Health.UNKNOWN
    return {**view, "volume": _volume(seen), "guest_status": {"state_description": health}, **_root(seen.instance)}


def _server(instance: Instance) -> dict[str, Any] | None:
    """It carries the instance's own id and name."""
    if instance.deleted:
        return None
    status = "ERROR" if instance.task == Task.ERROR else "ACTIVE"
    return {
        "id": instance.id,
        "name": instance.name,
        "status": status,
        "tenant_id": instance.project_id,
        "host": platform.node(),
    }


def _volume(seen: Seen) -> dict[str, Any] | None:
    instance, claim = seen.instance, seen.claim
    if instance.deleted:
        return None
    return {
        "id": instance.id,
        "size": instance.gigabytes,
        "used": round(claim.volume_used / GIGABYTE, 2) if claim else 0.0,
        "total": round(claim.volume_total / GIGABYTE, 2) if claim else 0.0,
        "status": "in-use",
        "attachments": [{"server_id": instance.id}],
        "availability_zone": instance.availability_zone,
        "created_at": clock.timestamp(instance.created),
    }


def _root(instance: Instance) -> dict[str, Any]:
    if not instance.master_told_at:
        return {}
    return {"root_enabled": clock.timestamp(instance.master_told_at), "root_enabled_by": instance.master_told_by}
