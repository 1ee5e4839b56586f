"""Every operation is told, or there is a reason why not; every kind of the catalogue is told by something."""

from __future__ import annotations

from pathlib import Path

import argosy
from argosy.model.events import CATALOGUE
from argosy.workflows.registry import WORKFLOWS

UNTOLD = {
    "build_template": "nobody sees it but by a first create that takes longer",
    "configure_instance": "what is attached, detached or changed is told by the API's own events",
    "deliver_webhook": "it tells",
    "end_quarantines": "begins delete_instance and delete_backup, which are told",
    "expire_logs": "housekeeping",
    "expire_undos": "housekeeping",
    "forget": "housekeeping",
    "look_around": "housekeeping",
    "prune_backups": "begins delete_backup, which is told",
    "renew_agents": "begins renew_agent, which is told",
    "renew_certificates": "begins renew_certificate, which is told",
    "run_drills": "begins drill_backup, which is told",
    "run_schedules": "begins create_backup, which is told",
    "self_backups": "begins self_backup, which is told",
    "sweep": "housekeeping",
    "watch": "begins revive_server, which is told",
    "watch_room": "tells by itself, when a level changes",
    "watch_store": "likewise",
    "expire_archives": "housekeeping",
    "retry_deletions": "begins delete_backup, which is told",
    "end_peeks": "the deletions that it begins are told",
    "watch_archives": "tells by itself, when a level changes",
}
SOURCE = "".join(path.read_text() for path in Path(argosy.__file__).parent.rglob("*.py") if path.name != "events.py")


def test_every_operation_is_told_or_there_is_a_reason() -> None:
    assert {name for name, workflow in WORKFLOWS.items() if not workflow.event} == set(UNTOLD)


def test_what_operations_tell_is_in_the_catalogue() -> None:
    for workflow in WORKFLOWS.values():
        if workflow.event:
            assert {f"dbaas.{workflow.event}.{end}" for end in ("start", "end", "error")} <= set(CATALOGUE)


def test_nothing_is_in_the_catalogue_that_nobody_tells() -> None:
    operations = {workflow.event for workflow in WORKFLOWS.values() if workflow.event}
    untold = [name for name in CATALOGUE if not _told(name, operations)]
    assert untold == []


def _told(name: str, operations: set[str]) -> bool:
    subject = name.split(".")[1]
    named = f'"{name}"' in SOURCE or f'"{subject}"' in SOURCE
    return subject in operations or named or any(f"dbaas.{stem}_{{" in SOURCE for stem in (subject.rpartition("_")[0],))
