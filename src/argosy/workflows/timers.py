"""What recurs, on whichever worker comes first."""

from __future__ import annotations

from argosy.durable.timers import Recurrence, every
from argosy.workflows.backup_schedules import prune_backups, run_schedules
from argosy.workflows.delete_backup import retry_deletions
from argosy.workflows.end_peeks import end_peeks
from argosy.workflows.end_quarantines import end_quarantines
from argosy.workflows.expire_archives import expire_archives
from argosy.workflows.expire_logs import expire_logs
from argosy.workflows.forget import forget
from argosy.workflows.look_around import look_around
from argosy.workflows.renew_agents import renew_agents
from argosy.workflows.renew_certificate import renew_certificates
from argosy.workflows.run_drills import run_drills
from argosy.workflows.self_backup import self_backups
from argosy.workflows.undo_change import expire_undos
from argosy.workflows.watch import sweep, watch
from argosy.workflows.watch_archives import watch_archives
from argosy.workflows.watch_room import watch_room
from argosy.workflows.watch_store import watch_store

TIMERS: tuple[Recurrence, ...] = (
    every("watch", 5, watch, "watch"),
    every("look_around", 60, look_around, "look_around"),
    every("renew_certificates", 3600, renew_certificates, "renew_certificates"),
    every("renew_agents", 15, renew_agents, "renew_agents"),
    every("sweep", 300, sweep, "sweep"),
    every("self_backups", 600, self_backups, "self_backups"),
    every("watch_archives", 5, watch_archives, "watch_archives"),
    every("watch_room", 60, watch_room, "watch_room"),
    every("watch_store", 60, watch_store, "watch_store"),
    every("forget", 3600, forget, "forget"),
    every("retry_deletions", 600, retry_deletions, "retry_deletions"),
    every("expire_undos", 60, expire_undos, "expire_undos"),
    every("end_peeks", 30, end_peeks, "end_peeks"),
    every("expire_archives", 3600, expire_archives, "expire_archives"),
    every("expire_logs", 3600, expire_logs, "expire_logs"),
    every("run_drills", 30, run_drills, "run_drills"),
    every("run_schedules", 15, run_schedules, "run_schedules"),
    every("prune_backups", 3600, prune_backups, "prune_backups"),
    every("end_quarantines", 60, end_quarantines, "end_quarantines"),
)
