"""Instances and where they are reached."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Double, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Body, Id, Name, Table


class Instance(Table):
    """A database that somebody asked for. Its status is derived (model/status.py), never stored."""

    __tablename__ = "instances"
    __table_args__ = (
        Index("instances_page", "project_id", "deleted", "id"),
        Index("instances_recent", "updated", "id", "deleted"),
        Index("instances_configured", "configuration_id", "id"),
        Index("instances_quarantined", "quarantined_until"),
        Index("instances_ending", "ends_at"),
        Index("instances_token", "project_id", "client_token", unique=True),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Name)
    version_id: Mapped[str] = mapped_column(Id)
    flavor_id: Mapped[str] = mapped_column(Name)
    ram: Mapped[int] = mapped_column(Integer)
    """MiB, as the flavor said at the time: quota is given back as it was taken"""
    gigabytes: Mapped[int] = mapped_column(Integer)
    volume_type: Mapped[str | None] = mapped_column(Name)
    task: Mapped[str] = mapped_column(String(32), default="NONE")
    """model.status.Task"""
    generation: Mapped[int] = mapped_column(Integer, default=1)
    tls_mode: Mapped[str] = mapped_column(String(16), default="enforced")
    availability_zone: Mapped[str | None] = mapped_column(Name)
    region: Mapped[str] = mapped_column(Name)
    nics: Mapped[list[Any]] = mapped_column(JSON, default=list)
    access: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    fault: Mapped[str | None] = mapped_column(Body)
    fault_details: Mapped[str | None] = mapped_column(Body)
    """for admins only"""
    fault_at: Mapped[float | None] = mapped_column(Double)
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
    deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[float | None] = mapped_column(Double)
    quota_held: Mapped[bool] = mapped_column(default=True)
    """false once its quota was given back: a delete that is repeated gives nothing back twice"""
    master_told: Mapped[bool] = mapped_column(default=False)
    """somebody was told a password of the master user: Trove's rootEnabled"""
    master_told_at: Mapped[float | None] = mapped_column(Double)
    master_told_by: Mapped[str | None] = mapped_column(String(64))
    """the first time, and to which user: Trove's root history"""
    protected: Mapped[bool] = mapped_column(default=False)
    """its owner wants it to be neither deleted nor restored over before they say so"""
    quarantined_until: Mapped[float | None] = mapped_column(Double)
    """deleted for Trove's views and quota, its volume kept until then, and it can be brought back; None: it is not"""
    ends_at: Mapped[float | None] = mapped_column(Double)
    """made to look at for a while, without writing; None: it stays until somebody deletes it"""
    restored_from: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """the backup, and the moment, that its data began as"""
    wanted: Mapped[str] = mapped_column(String(16), default="running")
    """running, or stopped by its owner"""
    configuration_id: Mapped[str | None] = mapped_column(Id)
    locality: Mapped[str | None] = mapped_column(String(32))
    tags: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    client_token: Mapped[str | None] = mapped_column(String(64))
    """chosen by who asked for it: asking again with the same token finds this instance; emptied with its deletion"""
    client_digest: Mapped[str | None] = mapped_column(String(64))
    """of what was asked for with that token"""


class InstanceTag(Table):
    """A tag again, to filter by: a page is walked along its index, however many instances there are."""

    __tablename__ = "instance_tags"
    __table_args__ = (Index("instance_tags_page", "project_id", "name", "value", "instance_id"),)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[str] = mapped_column(Name)
    project_id: Mapped[str] = mapped_column(String(64))


class Endpoint(Table):
    """Where clients connect: a row of its own, because it moves between servers."""

    __tablename__ = "endpoints"
    __table_args__ = (UniqueConstraint("instance_id", "role"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(16))
    """writer, reader or direct"""
    host: Mapped[str] = mapped_column(Name)
    port: Mapped[int] = mapped_column(Integer)
    network: Mapped[str] = mapped_column(Id, default="")
    names: Mapped[list[str]] = mapped_column(JSON, default=list)
    """what the certificate names"""
    certificate_until: Mapped[float | None] = mapped_column(Double)
    """when the certificate that was issued last ends to be good"""
