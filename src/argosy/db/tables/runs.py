"""The machine that runs workflows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Name, Table


class Run(Table):
    """One operation under way, or its record afterwards."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_due", "state", "wake_at", "created"),
        Index("runs_subject", "subject", "created"),
        Index("runs_counted", "workflow", "state"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workflow: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    subject: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[str] = mapped_column(String(64), default="")
    actor: Mapped[str] = mapped_column(String(64), default="")
    """user id of who asked for it, with the project of their token and the request; empty: Argosy itself"""
    actor_project: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16), default="active")
    """active, done, failed or cancelled"""
    step: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer, default=0)
    """of the step in the recorded timeline (RunStep)"""
    memory: Mapped[dict[str, Any]] = mapped_column(Sealed)
    """small; what only this run needs, secrets among it; emptied when the run ends"""
    note: Mapped[str] = mapped_column(Body, default="")
    """what it waits for, or the last error, for people"""
    fault: Mapped[str] = mapped_column(Body, default="")
    cancelled: Mapped[bool] = mapped_column(default=False)
    urgency: Mapped[int] = mapped_column(Integer, default=0)
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    """raised by each claim: the fence of every write"""
    worker: Mapped[str | None] = mapped_column(Id)
    lease_until: Mapped[float] = mapped_column(Double, default=0.0)
    wake_at: Mapped[float] = mapped_column(Double)
    wake_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """raised by each signal: a suspend that lost the race stays awake"""
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    """claims of this step since it last answered"""
    lost: Mapped[int] = mapped_column(Integer, default=0)
    """claims in a row of which nothing was heard: their worker died"""
    deadline_at: Mapped[float] = mapped_column(Double, default=0.0)
    """0 until the first claim"""
    created: Mapped[float] = mapped_column(Double)
    ended: Mapped[float | None] = mapped_column(Double)


class RunStep(Table):
    """The recorded timeline of a run: one row per step entered."""

    __tablename__ = "run_steps"

    run_id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    """running, waiting, done or failed"""
    started: Mapped[float] = mapped_column(Double)
    ended: Mapped[float | None] = mapped_column(Double)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    note: Mapped[str] = mapped_column(Body, default="")
    error: Mapped[str] = mapped_column(Body, default="")


class Lock(Table):
    """A subject that a run holds. Exclusive: holder is "". Shared: holder is the run's id, and so many rows may stand.

    The primary key keeps two exclusive holders apart; shared against exclusive is kept by a guard row (LockGuard)
    that every taker updates first.
    """

    __tablename__ = "locks"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    run_id: Mapped[str] = mapped_column(Id, index=True)


class LockGuard(Table):
    """One row per subject, updated before its locks are looked at: takers of one subject come one after another."""

    __tablename__ = "lock_guards"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    touched: Mapped[int] = mapped_column(BigInteger, default=0)


class Worker(Table):
    """A process that runs workflows."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    host: Mapped[str] = mapped_column(Name)
    boot_id: Mapped[str] = mapped_column(Id)
    pid: Mapped[int] = mapped_column(Integer)
    started: Mapped[int] = mapped_column(BigInteger)
    """start time in clock ticks since boot (proc(5), field 22): tells a pid's second owner from its first"""
    seen_at: Mapped[float] = mapped_column(Double)


class Timer(Table):
    """Something that recurs: whoever moves `due_at` on, enqueues it."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[float] = mapped_column(Double)


class Fact(Table):
    """What one process knows and others must tell: the provider's name, level and features, by name."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
