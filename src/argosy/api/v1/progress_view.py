"""How far long work is: bytes, rate, percent, and when it will be done if it goes on like that."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from argosy import clock
from argosy.db.tables import Command

MOST = 99.9
"""Percent of what is not done: how much there is was only estimated."""
SOON = 0.5
"""Seconds below which a rate says nothing."""
OF_TIME = frozenset({"per_second", "seconds_left"})
"""What is another with every second, also when nothing has moved."""


def of_runs(session: Session, runs: Collection[str]) -> Mapping[str, dict[str, Any]]:
    """Of those runs whose guests have told something, by the run's id."""
    if not runs:
        return {}
    columns = load_only(Command.run_id, Command.done, Command.total, Command.unit, Command.created)
    told = select(Command).options(columns).where(Command.answered.is_(False), Command.unit != "")
    commands = session.scalars(told.where(Command.run_id.in_(runs)).order_by(Command.created)).all()
    return {each.run_id: view(each, clock.now()) for each in commands if each.run_id}


def view(command: Command, now: float) -> dict[str, Any]:
    seconds = now - command.created
    rate = command.done / seconds if command.done and seconds > SOON else None
    left = max(command.total - command.done, 0)
    return {
        "done": command.done,
        "total": command.total or None,
        "unit": command.unit,
        "percent": round(min(100 * command.done / command.total, MOST), 1) if command.total else None,
        "per_second": round(rate) if rate else None,
        "seconds_left": round(left / rate) if rate and command.total else None,
    }
