"""Logs of database servers: what their owners switched, and what was published."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Id, Name, Table


class GuestLog(Table):
    """One log of one instance, once its owner did anything with it."""

    __tablename__ = "guest_logs"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    enabled: Mapped[bool | None]
    """None: never switched, the server's settings say"""
    container: Mapped[str] = mapped_column(Name, default="")
    """empty: nothing is published"""
    published: Mapped[int] = mapped_column(BigInteger, default=0)
    """bytes"""
    position: Mapped[int] = mapped_column(BigInteger, default=0)
    """offset of what was not published yet"""
    digest: Mapped[str] = mapped_column(String(32), default="")
    """MD5 of the first line: another one means that the log was rotated"""
    updated: Mapped[float] = mapped_column(Double)


class LogObject(Table):
    """A part of a log in the object store."""

    __tablename__ = "log_objects"

    instance_id: Mapped[str] = mapped_column(Id, primary_key=True)
    log: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """`log-` and the offset of its first byte"""
    place: Mapped[str] = mapped_column(Name)
    """the store's key without the name"""
    bytes: Mapped[int] = mapped_column(Integer)
    lines: Mapped[int] = mapped_column(Integer)
    created: Mapped[float] = mapped_column(Double, index=True)
    """it expires so long after that"""
