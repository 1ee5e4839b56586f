"""Backups, and where a project wants them."""

from __future__ import annotations

from sqlalchemy import Double, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Backup(Table):
    __tablename__ = "backups"
    __table_args__ = (
        Index("backups_page", "project_id", "updated", "id"),
        Index("backups_of_instance", "instance_id", "project_id", "updated", "id"),
        Index("backups_recent", "updated", "id"),
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


class BackupStrategy(Table):
    """Where backups go: of one instance, or of all that has no strategy of its own (`instance_id` empty)."""

    __tablename__ = "backup_strategies"

    project_id: Mapped[str] = mapped_column(ProjectId, primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    container: Mapped[str] = mapped_column(Name)
