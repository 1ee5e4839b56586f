"""TLS of instances: what their servers show, and whose clients they let in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Table


class Certificate(Table):
    """What an instance's server shows, and what it showed before: the way back."""

    __tablename__ = "certificates"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    shown: Mapped[str] = mapped_column(Body, default="")
    """PEM of what its guest was given last, the server's own certificate first"""
    authority: Mapped[str] = mapped_column(String(64), default="")
    """fingerprint of the deployment's authority that issued it; empty: none has, it was brought"""
    brought: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """certificate, private_key and authority (PEM) that the user brought; None: issued by the deployment's authority"""
    clients: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """certificate and private_key (PEM) of the authority of this instance's clients, once there is one"""
    previous_mode: Mapped[str | None] = mapped_column(String(16))
    previous: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """what was brought then"""
    told: Mapped[int | None] = mapped_column(Integer)
    """days that were left when the coming end of the brought certificate was told last"""
    updated: Mapped[float] = mapped_column(Double)
