"""Configuration groups, and what an operator says about parameters."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Double, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Body, Id, Name, ProjectId, Table


class Configuration(Table):
    """Settings under a name, for instances of one datastore version."""

    __tablename__ = "configurations"
    __table_args__ = (Index("configurations_page", "project_id", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(ProjectId)
    name: Mapped[str] = mapped_column(Name)
    description: Mapped[str | None] = mapped_column(Body)
    version_id: Mapped[str] = mapped_column(Id)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """parameter -> value; what is not named keeps the engine's default or the operator's baseline"""
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)


class Parameter(Table):
    """What an operator changed about a parameter of one version; without a row the engine's parameters.toml holds."""

    __tablename__ = "parameters"

    version_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    data_type: Mapped[str] = mapped_column(String(16), default="")
    """integer, string, boolean or float; empty: the rule of parameters.toml holds, and so do the next three"""
    minimum: Mapped[float | None] = mapped_column(Double)
    maximum: Mapped[float | None] = mapped_column(Double)
    restart_required: Mapped[bool] = mapped_column(default=False)
    baseline: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    """what instances have unless their configuration says otherwise"""
    locked: Mapped[bool] = mapped_column(default=False)
    """tenants see the baseline and cannot override it"""
    removed: Mapped[bool] = mapped_column(default=False)
    """not offered any more"""
