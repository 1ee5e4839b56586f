"""TLS of instances, where it differs from what the deployment's authority issues."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Id, Table


class Certificate(Table):
    """What an instance's server shows, and what it showed before: the way back."""

    __tablename__ = "certificates"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    brought: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """certificate, private_key and authority (PEM) that the user brought; None: issued by the deployment's authority"""
    previous_mode: Mapped[str | None] = mapped_column(String(16))
    previous: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    updated: Mapped[float] = mapped_column(Double)
