"""What happened, and who wants to be told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Event(Table):
    """One change that a user or an operator can see. Written in the transaction that makes the change."""

    __tablename__ = "events"
    __table_args__ = (
        Index("events_of_instance", "instance_id", "project_id", "seq"),
        Index("events_of_project", "project_id", "seq"),
        Index("events_of_kind", "project_id", "kind", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """1, 2, 3, … in the order of commits and without a gap: whoever read up to one has missed nothing before it"""
    id: Mapped[str] = mapped_column(Id, unique=True)
    at: Mapped[float] = mapped_column(Double)
    kind: Mapped[str] = mapped_column(String(64))
    """a name of model/events.py"""
    project_id: Mapped[str] = mapped_column(ProjectId, default="")
    """whose object was changed; empty: the operator's"""
    instance_id: Mapped[str | None] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(Name, default="")
    """id of what was changed, where it is not an instance"""
    actor: Mapped[str] = mapped_column(String(64), default="")
    """user id of who asked; empty: Argosy itself"""
    actor_project: Mapped[str] = mapped_column(ProjectId, default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Counter(Table):
    """A number that is raised by one update, last in its transaction."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger, default=0)


class Webhook(Table):
    """An address that is told of a project's events."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId, index=True)
    url: Mapped[str] = mapped_column(Body)
    secret: Mapped[str] = mapped_column(Sealed)
    """signs what is sent"""
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    """beginnings of kinds that are told; empty: all"""
    state: Mapped[str] = mapped_column(String(16), default="active")
    """active, paused by its owner, or failing: given up until its owner resumes it"""
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    """seq of the last event that was told or passed over"""
    failures: Mapped[int] = mapped_column(Integer, default=0)
    """in a row"""
    failing_since: Mapped[float | None] = mapped_column(Double)
    """when the first of them was"""
    fault: Mapped[str] = mapped_column(Body, default="")
    """of the last one"""
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
