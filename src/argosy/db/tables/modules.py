"""Modules: small additions that an instance can be given."""

from __future__ import annotations

from sqlalchemy import Double, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Module(Table):
    __tablename__ = "modules"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str | None] = mapped_column(ProjectId, index=True)
    """None: of all projects"""
    name: Mapped[str] = mapped_column(Name)
    type: Mapped[str] = mapped_column(String(64))
    description: Mapped[str | None] = mapped_column(Body)
    contents: Mapped[str] = mapped_column(Sealed)
    """base64, as it came; licences are secrets"""
    md5: Mapped[str] = mapped_column(String(32))
    datastore_id: Mapped[str | None] = mapped_column(Id)
    """None: of all datastores; likewise the version"""
    version_id: Mapped[str | None] = mapped_column(Id)
    auto_apply: Mapped[bool] = mapped_column(default=False)
    visible: Mapped[bool] = mapped_column(default=True)
    live_update: Mapped[bool] = mapped_column(default=False)
    priority_apply: Mapped[bool] = mapped_column(default=False)
    apply_order: Mapped[int] = mapped_column(Integer, default=5)
    full_access: Mapped[bool] = mapped_column(default=False)
    is_admin: Mapped[bool] = mapped_column(default=False)
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)


class InstanceModule(Table):
    """A module that an instance was given."""

    __tablename__ = "instance_modules"
    __table_args__ = (Index("instance_modules_page", "module_id", "instance_id"),)

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    module_id: Mapped[str] = mapped_column(Id, primary_key=True)
    md5: Mapped[str] = mapped_column(String(32))
    """of the contents that it was given: an update of the module makes it stale"""
    status: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Body, default="")
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
