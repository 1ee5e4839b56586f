"""What the command line says of log that is late, and of what it means for the moments that can be had."""

from __future__ import annotations

from typing import Any

import pytest

from argosy.cli import events, output
from argosy.cli.db import recovery

WINDOW = {"earliest": "10:00", "latest": "11:00", "ended": False, "position": {}, "backups": []}
SEEN = {
    "enabled": True, "restart": False, "latest": "11:00", "level": "warning", "keep_days": 7.0, "windows": [WINDOW],
    "backlog": {"bytes": 5, "seconds": 61.0}, "fault": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "behind", "gap"),
    [
        ({}, "61 s, 5 bytes (warning)", ""),
        ({"windows": [{**WINDOW, "ended": True}], "backlog": None}, "", "since 11:00: the next moment"),
        ({"windows": [{**WINDOW, "ended": True}], "enabled": False, "backlog": None}, "", ""),
        ({"windows": [{**WINDOW, "ended": True}, WINDOW]}, "61 s, 5 bytes (warning)", ""),
        ({"windows": []}, "61 s, 5 bytes (warning)", ""),
    ],
)
def test_a_gap_is_told_until_a_backup_leads_on(change: dict[str, Any], behind: str, gap: str) -> None:
    told = recovery._fields({**SEEN, **change})
    assert told["behind"] == behind
    assert told["gap"].startswith(gap)
    assert bool(told["gap"]) == bool(gap)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"level": "critical", "seconds": 600}, "critical"),
        ({"health": "failed", "was": "healthy", "message": "no room"}, "failed: no room"),
        ({"message": "log had to be given up"}, "log had to be given up"),
        ({"health": "healthy", "message": ""}, "healthy"),
        ({"message": "the tool ended with 1:\n  no room\n"}, "the tool ended with 1: no room"),
        ({}, ""),
    ],
)
def test_events_say_how_bad_it_is(payload: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"seq": 1, "created": "now", "event_type": "dbaas.any", "subject": "s", "user_id": "u", "payload": payload}
    output.rows([row], events.COLUMNS, "table")
    assert capsys.readouterr().out.splitlines()[1] == f"1    now   dbaas.any  s      u   {says}".rstrip()
