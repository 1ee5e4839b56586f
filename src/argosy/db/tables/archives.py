"""Logs of instances as they leave for the store: whether, how far, and what is there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Archive(Table):
    """Whether the log of an instance leaves for the store while it is written, and how that goes just now."""

    __tablename__ = "archives"
    __table_args__ = (Index("archives_watched", "enabled", "instance_id"),)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId)
    enabled: Mapped[bool] = mapped_column(default=True)
    stream: Mapped[int] = mapped_column(Integer, default=0)
    """the one under way, of those in `archive_streams`; 0: none has been begun"""
    keep_days: Mapped[float] = mapped_column(Double, default=7.0)
    level: Mapped[str] = mapped_column(String(16), default="fine")
    """fine, warning or critical, as it was told last"""
    fault: Mapped[str | None] = mapped_column(Body)
    """why nothing leaves, in a sentence"""
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)


class ArchiveStream(Table):
    """One unbroken history of an instance: a restore in place, another version or a gap begins another."""

    __tablename__ = "archive_streams"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId)
    place: Mapped[str] = mapped_column(String(512))
    """prefix in the store"""
    data_key: Mapped[str] = mapped_column(Sealed)
    """hex; what its chunks are sealed by"""
    version_id: Mapped[str] = mapped_column(Id)
    generation: Mapped[int] = mapped_column(Integer)
    """whose log it is: another server, or one of another version, has another"""
    asked: Mapped[float] = mapped_column(Double)
    began: Mapped[float | None] = mapped_column(Double)
    """when the guest said that it keeps its log: backups taken since can be led on from; None: not yet"""
    ended: Mapped[float | None] = mapped_column(Double)
    latest: Mapped[float | None] = mapped_column(Double)
    """everything committed up to then, by the guest's clock, is in the store"""
    committed: Mapped[float | None] = mapped_column(Double)
    """the last commit of it, where the engine tells"""
    position: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """where that is, in the engine's words"""
    stored_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    shipped_at: Mapped[float | None] = mapped_column(Double)
    """when something of it last arrived in the store"""


class ArchiveFile(Table):
    """One file of an engine's log, as far as it is in the store, in chunks that follow each other."""

    __tablename__ = "archive_files"
    __table_args__ = (Index("archive_files_chunks", "chunks"),)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    """of the stream"""
    name: Mapped[str] = mapped_column(Name, primary_key=True)
    """in the order of history"""
    bytes: Mapped[int] = mapped_column(BigInteger)
    """of the file, from its beginning"""
    begins: Mapped[bool] = mapped_column()
    """a replay can begin with it"""
    closed: Mapped[bool] = mapped_column()
    chunks: Mapped[int] = mapped_column(Integer)
    """objects of it that could be put together, or were and are to go"""
    stored_bytes: Mapped[int] = mapped_column(BigInteger)
    first_at: Mapped[float] = mapped_column(Double)
    """when it was first shipped, by the guest's clock"""
    last_at: Mapped[float] = mapped_column(Double)
