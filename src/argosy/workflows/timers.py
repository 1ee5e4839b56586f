"""What recurs, on whichever worker comes first."""

from __future__ import annotations

from argosy.durable.timers import Recurrence, every
from argosy.workflows.look_around import look_around
from argosy.workflows.watch import sweep, watch

TIMERS: tuple[Recurrence, ...] = (
    every("watch", 5, watch, "watch"),
    every("look_around", 60, look_around, "look_around"),
    every("sweep", 300, sweep, "sweep"),
)
