"""An event as everybody outside reads it: the list, the audit trail and webhooks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from argosy.db.tables import Event


def view(event: Event) -> dict[str, Any]:
    """Optional keys are absent, never null."""
    told = {
        "seq": event.seq,
        "id": event.id,
        "created": timestamp(event.at),
        "event_type": event.kind,
        "project_id": event.project_id,
        "instance_id": event.instance_id,
        "subject": event.subject,
        "user_id": event.actor,
        "user_project_id": event.actor_project,
        "request_id": event.request_id,
    }
    return {**{name: value for name, value in told.items() if value}, "payload": event.payload}


def timestamp(seconds: float) -> str:
    """With milliseconds: several things happen in a second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
