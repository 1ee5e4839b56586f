"""How full is too full: a level that does not flap."""

from __future__ import annotations

from enum import StrEnum

SLACK = 3.0
"""Percent below its threshold at which a level ends."""


class Level(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    CRITICAL = "critical"


def percent(used: float, total: float) -> float:
    return round(100 * used / total, 1) if total else 0.0


def level(now: float, before: Level, warning: float, critical: float) -> Level:
    """Of so many percent, when it was at that level before."""
    if now >= critical - (SLACK if before is Level.CRITICAL else 0):
        return Level.CRITICAL
    if now >= warning - (0 if before is Level.FINE else SLACK):
        return Level.WARNING
    return Level.FINE
