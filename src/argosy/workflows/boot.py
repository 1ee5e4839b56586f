"""What a new guest is told: where the conductor is, whom to trust, and one token. Nothing else."""

from __future__ import annotations

import json

from argosy.engines.base import Engine
from argosy.guest import authority, enrolment
from argosy.model.guest import Secret
from argosy.workflows.world import World


def document(world: World, guest: str, generation: int, engine: Engine, version: str) -> Secret:
    """The boot document, the same each time for one generation, so that `ensure` may be repeated."""
    settings = world.settings
    told = {
        "guest": guest,
        "generation": generation,
        "engine": engine.name,
        "version": version,
        "conductors": [f"https://{world.provider.doorstep}:{settings.conductor.port}"],
        "authority": authority.trusted(settings.keys),
        "token": enrolment.token(guest, generation),
        "heartbeat_seconds": settings.conductor.heartbeat_seconds,
    }
    return Secret(json.dumps(told))
