"""What a guest says of itself, cut to what its row can hold: a claim that cannot be kept must not stop the others'."""

from __future__ import annotations

import math
from typing import Any

from argosy.model import wire
from argosy.model.guest import Health

LARGEST = 2**63 - 1
MESSAGE_LENGTH = 4_000
ERROR_LENGTH = 64_000
METRICS = 64
"""numbers kept of one heartbeat"""


def beat(claim: wire.Heartbeat) -> dict[str, Any]:
    """The columns of a heartbeat. Raises BadFrame for a health that nobody knows."""
    if claim.health not in set(Health):
        raise wire.BadFrame(f"{text(claim.health, 32)!r} is no health")
    return {
        "boot": text(claim.boot, 64),
        "seq": number(claim.seq),
        "health": claim.health,
        "message": text(claim.message, MESSAGE_LENGTH),
        "version": text(claim.version, 64),
        "volume_used": number(claim.volume_used),
        "volume_total": number(claim.volume_total),
        "metrics": metrics(claim.metrics),
    }


def progress(claim: wire.Progress) -> wire.Progress:
    return wire.Progress(text(claim.id, 190), number(claim.done), number(claim.total), text(claim.unit, 16))


def answer(claim: wire.Answer) -> wire.Answer:
    return wire.Answer(text(claim.id, 190), claim.result, text(claim.error, ERROR_LENGTH), text(claim.error_kind, 16))


def metrics(told: dict[str, float]) -> dict[str, float]:
    """The first so many that are numbers in JSON too."""
    kept = [(text(name, 64), value) for name, value in told.items() if _finite(value)]
    return dict(kept[:METRICS])


def text(told: str, length: int) -> str:
    """Without what no database keeps: NUL and halves of surrogate pairs."""
    return told[:length].replace("\0", "").encode(errors="replace").decode()


def number(told: int) -> int:
    return max(0, min(told, LARGEST))


def _finite(value: float) -> bool:
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)
