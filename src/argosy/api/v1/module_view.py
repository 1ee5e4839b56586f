"""A module as clients read it; its contents, which may be a licence, only where they are asked for of an instance."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.tables import Datastore, DatastoreVersion, InstanceModule, Module

SECRET = base64.b64encode(b"Must be admin to retrieve contents.").decode()
ALL = "all"
"""what stands for a project, datastore or version that is not set"""


@dataclass(frozen=True)
class Kinds:
    """Names of datastores and versions by their ids."""

    datastores: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def read(cls, session: Session) -> Kinds:
        datastores = session.execute(select(Datastore.id, Datastore.name)).all()
        versions = session.execute(select(DatastoreVersion.id, DatastoreVersion.name)).all()
        return cls({row.id: row.name for row in datastores}, {row.id: row.name for row in versions})


def summary(module: Module, kinds: Kinds) -> dict[str, Any]:
    return {
        "id": module.id,
        "name": module.name,
        "type": module.type,
        "description": module.description,
        "tenant_id": module.project_id,
        "datastore_id": module.datastore_id,
        "datastore_version_id": module.version_id,
        "auto_apply": module.auto_apply,
        "priority_apply": module.priority_apply,
        "apply_order": module.apply_order,
        "is_admin": module.is_admin,
        "md5": module.md5,
        "visible": module.visible,
        "created": clock.timestamp(module.created),
        "updated": clock.timestamp(module.updated),
        **_for(module, kinds),
    }


def detail(module: Module, kinds: Kinds) -> dict[str, Any]:
    return {**summary(module, kinds), "live_update": module.live_update}


def applied(module: Module, row: InstanceModule, kinds: Kinds) -> dict[str, Any]:
    """On an instance: `md5` is of what it was given, and it is `current` unless the module was changed since."""
    return {
        **summary(module, kinds),
        "md5": row.md5,
        "current": row.md5 == module.md5,
        "status": row.status,
        "message": row.message,
        "created": clock.timestamp(row.created),
        "updated": clock.timestamp(row.updated),
    }


def contents(module: Module, *, admin: bool) -> dict[str, str]:
    """What `trove module-retrieve` writes to a file: of what an administrator made, tenants read a sentence instead."""
    return {"contents": module.contents if admin or not module.is_admin else SECRET}


def _for(module: Module, kinds: Kinds) -> dict[str, str]:
    return {
        "tenant": module.project_id or ALL,
        "datastore": kinds.datastores.get(module.datastore_id or "", ALL),
        "datastore_version": kinds.versions.get(module.version_id or "", ALL),
    }
