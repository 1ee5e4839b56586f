"""Logs of database servers that were published."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Id, Name, Table


class GuestLog(Table):
    """One log of one instance: is it wanted, and how much of it is in the object store."""

    __tablename__ = "guest_logs"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    enabled: Mapped[bool] = mapped_column(default=False)
    container: Mapped[str] = mapped_column(Name, default="")
    published: Mapped[int] = mapped_column(BigInteger, default=0)
    """bytes"""
    objects: Mapped[int] = mapped_column(Integer, default=0)
    digest: Mapped[str] = mapped_column(String(32), default="")
    """MD5 of the first line: another one means that the log was rotated"""
    updated: Mapped[float] = mapped_column(Double)
