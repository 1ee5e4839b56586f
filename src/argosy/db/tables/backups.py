"""Backups, what is known of them, and where a project wants them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Backup(Table):
    __tablename__ = "backups"
    __table_args__ = (
        Index("backups_page", "project_id", "updated", "id"),
        Index("backups_of_instance", "instance_id", "project_id", "updated", "id"),
        Index("backups_recent", "updated", "id"),
        Index("backups_children", "parent_id"),
        Index("backups_of_schedule", "schedule_id", "created"),
        Index("backups_to_prove", "proof", "finished"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId)
    instance_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str | None] = mapped_column(Body)
    version_id: Mapped[str] = mapped_column(Id)
    parent_id: Mapped[str | None] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(16))
    """NEW, BUILDING, SAVING, COMPLETED, FAILED, DELETE_FAILED or RESTORED"""
    size: Mapped[float | None] = mapped_column(Double)
    """GiB of data; None until it is known"""
    storage_driver: Mapped[str] = mapped_column(String(16), default="swift")
    container: Mapped[str] = mapped_column(Name, default="database_backups")
    location: Mapped[str | None] = mapped_column(Body)
    fault: Mapped[str | None] = mapped_column(Body)
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
    finished: Mapped[float | None] = mapped_column(Double)
    """when it was whole in the store"""
    strategy: Mapped[str] = mapped_column(String(32), default="")
    """of engines.backups; empty until it is chosen, and of one registered from elsewhere until its manifest was read"""
    manifest: Mapped[str] = mapped_column(String(512), default="")
    """its key in the store; empty: there is nothing in the store (a snapshot on the pool only)"""
    region: Mapped[str] = mapped_column(String(64), default="")
    """the region of the settings in whose store that is; empty: this deployment's own"""
    mac: Mapped[str] = mapped_column(String(64), default="")
    """of the manifest: one that says anything else is not ours"""
    data_key: Mapped[str | None] = mapped_column(Sealed)
    """hex; what its parts are sealed by"""
    snapshot: Mapped[str] = mapped_column(Id, default="")
    """name of the provider's snapshot that holds the same, for a restore in no time; empty: none"""
    gigabytes: Mapped[int] = mapped_column(Integer, default=0)
    """of the volume that it was taken from: what a restore needs"""
    raw_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    stored_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    position: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """in the engine's words"""
    moment: Mapped[float | None] = mapped_column(Double)
    """of what it restores to, by the server's clock"""
    proof: Mapped[str] = mapped_column(String(16), default="unproven")
    """model.backups.Proof"""
    proven_at: Mapped[float | None] = mapped_column(Double)
    proven_seconds: Mapped[float | None] = mapped_column(Double)
    proof_report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """what was looked at, or what was wrong"""
    schedule_id: Mapped[str | None] = mapped_column(Id)
    """the schedule that asked for it"""
    purpose: Mapped[str] = mapped_column(String(16), default="manual")
    """manual, scheduled, final (of a deleted instance) or base (that point-in-time recovery starts from)"""
    hold_until: Mapped[float | None] = mapped_column(Double)
    """nobody deletes it before: an operator's hold, or the minimum retention"""
    protected: Mapped[bool] = mapped_column(default=False)
    """its owner wants to be asked twice"""
    quarantined_until: Mapped[float | None] = mapped_column(Double)
    """deleted for Trove's views and quota; until then it can be brought back"""
    quota_held: Mapped[bool] = mapped_column(default=True)


class ProjectKey(Table):
    """What keys of a project's backups are sealed by; the newest seals, the others still open."""

    __tablename__ = "project_keys"

    project_id: Mapped[str] = mapped_column(ProjectId, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    key: Mapped[str] = mapped_column(Sealed)
    """hex, 256 bit"""
    created: Mapped[float] = mapped_column(Double)


class KeyFromElsewhere(Table):
    """What another deployment's master key does to the keys of projects: it opens backups, and nothing else."""

    __tablename__ = "keys_from_elsewhere"

    master: Mapped[str] = mapped_column(String(16), primary_key=True)
    """which master key: its fingerprint"""
    key: Mapped[str] = mapped_column(Sealed)
    """hex, 256 bit"""
    created: Mapped[float] = mapped_column(Double)


class Drill(Table):
    """One attempt to restore a backup in a sandbox, for nobody but us."""

    __tablename__ = "drills"
    __table_args__ = (Index("drills_of_backup", "backup_id", "started"), Index("drills_recent", "started"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    backup_id: Mapped[str] = mapped_column(Id)
    project_id: Mapped[str] = mapped_column(ProjectId)
    instance_id: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(16))
    """running, passed, failed (the backup is broken) or aborted (nothing was learnt of it)"""
    started: Mapped[float] = mapped_column(Double)
    ended: Mapped[float | None] = mapped_column(Double)
    fault: Mapped[str | None] = mapped_column(Body)
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class BackupSchedule(Table):
    """When backups are taken by themselves, and how long they are kept."""

    __tablename__ = "backup_schedules"
    __table_args__ = (
        Index("backup_schedules_page", "project_id", "id"),
        Index("backup_schedules_of_instance", "instance_id", "id"),
        Index("backup_schedules_due", "paused", "next_at"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId)
    instance_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Name)
    cron: Mapped[str] = mapped_column(Name)
    """five fields, crontab(5)"""
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    """IANA name"""
    full_every: Mapped[int] = mapped_column(Integer, default=1)
    """1: every backup is full; n: one in n is, the others build on the one before"""
    strategy: Mapped[str] = mapped_column(String(32), default="")
    """empty: the default"""
    retention: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """{"count": n} and/or {"days": n}, or {"daily": n, "weekly": n, "monthly": n, "yearly": n}; empty: for ever"""
    paused: Mapped[bool] = mapped_column(default=False)
    next_at: Mapped[float] = mapped_column(Double)
    last_at: Mapped[float | None] = mapped_column(Double)
    """when a run was due last that was begun"""
    last_backup_id: Mapped[str | None] = mapped_column(Id)
    missed: Mapped[int] = mapped_column(Integer, default=0)
    """runs that were due and were not begun in time, since it was made"""
    fault: Mapped[str | None] = mapped_column(Body)
    """why the last one could not be begun"""
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)


class Snapshot(Table):
    """A copy of an instance's volume on the provider, written down before it is taken. It goes when its run has ended
    and neither a backup nor an undo is kept in it.
    """

    __tablename__ = "snapshots"
    __table_args__ = (Index("snapshots_of_instance", "instance_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """also the provider's name of it"""
    instance_id: Mapped[str] = mapped_column(Id)
    run_id: Mapped[str] = mapped_column(Id)
    """the run that takes it"""
    created: Mapped[float] = mapped_column(Double)


class Undo(Table):
    """What an instance was before something was done to its data that can be undone."""

    __tablename__ = "undos"
    __table_args__ = (Index("undos_ending", "until"),)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """also the name of the provider's snapshot that holds it"""
    reason: Mapped[str] = mapped_column(Name)
    version_id: Mapped[str] = mapped_column(Id)
    restored_from: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """what the instance told of it"""
    created: Mapped[float] = mapped_column(Double)
    until: Mapped[float] = mapped_column(Double)
    """when it is let go of"""


class BackupStrategy(Table):
    """Where backups go: of one instance, or of all that has no strategy of its own (`instance_id` empty)."""

    __tablename__ = "backup_strategies"

    project_id: Mapped[str] = mapped_column(ProjectId, primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    container: Mapped[str] = mapped_column(Name)
