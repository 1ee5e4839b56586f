"""What a new guest is told: where the conductor is, whom to trust, and one token. Nothing else."""

from __future__ import annotations

import json

from sqlalchemy.orm import Session

from argosy.db.tables import Guest
from argosy.engines.base import Engine
from argosy.guest import authority, enrolment
from argosy.model.guest import Secret
from argosy.settings import Settings


def document(settings: Settings, guest: str, generation: int, engine: Engine, version: str) -> Secret:
    """The boot document, the same each time for one generation, so that `ensure` may be repeated."""
    return Secret(
        json.dumps(
            {
                "guest": guest,
                "generation": generation,
                "engine": engine.name,
                "version": version,
                "conductors": [f"https://{settings.conductor.host}:{settings.conductor.port}"],
                "authority": authority.certificate(settings),
                "token": enrolment.token(guest, generation),
                "heartbeat_seconds": settings.conductor.heartbeat_seconds,
            }
        )
    )


def expect(session: Session, guest: str, generation: int) -> None:
    """Make room for a guest that is about to enrol; an older generation's credential is worth nothing from here on."""
    known = session.get(Guest, guest)
    if known is None:
        session.add(Guest(id=guest, generation=generation))
    elif known.generation < generation:
        known.generation, known.confirmed = generation, False
        known.credential = known.next_credential = None
        known.boot, known.seq, known.health = "", 0, "unknown"
