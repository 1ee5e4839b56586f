"""What recurs, on whichever worker comes first."""

from __future__ import annotations

from argosy.durable.timers import Recurrence, every
from argosy.workflows.expire_logs import expire_logs
from argosy.workflows.forget import forget
from argosy.workflows.look_around import look_around
from argosy.workflows.renew_agents import renew_agents
from argosy.workflows.renew_certificate import renew_certificates
from argosy.workflows.self_backup import self_backups
from argosy.workflows.watch import sweep, watch
from argosy.workflows.watch_room import watch_room

TIMERS: tuple[Recurrence, ...] = (
    every("watch", 5, watch, "watch"),
    every("look_around", 60, look_around, "look_around"),
    every("renew_certificates", 3600, renew_certificates, "renew_certificates"),
    every("renew_agents", 15, renew_agents, "renew_agents"),
    every("sweep", 300, sweep, "sweep"),
    every("self_backups", 600, self_backups, "self_backups"),
    every("watch_room", 60, watch_room, "watch_room"),
    every("forget", 3600, forget, "forget"),
    every("expire_logs", 3600, expire_logs, "expire_logs"),
)
