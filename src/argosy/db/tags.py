"""Tags of instances: in the row for views, and as rows of their own by which a list is filtered."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.orm import Session

from argosy.db.tables import Instance, InstanceTag


def put(session: Session, instance: Instance, tags: Mapping[str, str]) -> None:
    """These and no others."""
    session.execute(delete(InstanceTag).where(InstanceTag.instance_id == instance.id))
    instance.tags = dict(tags)
    owner = {"instance_id": instance.id, "project_id": instance.project_id}
    session.add_all(InstanceTag(name=name, value=value, **owner) for name, value in sorted(tags.items()))
