"""Guests, and what they are asked to do."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.sealed import Sealed
from argosy.db.tables.base import Body, Id, Table


class Guest(Table):
    """The agent of one instance: what it proved and what it last claimed."""

    __tablename__ = "guests"
    __table_args__ = (Index("guests_counted", "health", "connected"), Index("guests_thrown_away", "run_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """the instance's uuid, or that of a guest without one"""
    generation: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[str | None] = mapped_column(Id)
    """the run that a guest without an instance was made for (workflows/throwaway.py); None: it has an instance"""
    credential: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the secret, hex; the next one while it is being rotated stands in `next_credential`"""
    next_credential: Mapped[str | None] = mapped_column(String(64))
    confirmed: Mapped[bool] = mapped_column(default=False)
    """the credential has been used: the one-time token is worth nothing any more"""
    agent: Mapped[str] = mapped_column(String(64), default="")
    protocol: Mapped[int] = mapped_column(Integer, default=0)
    boot: Mapped[str] = mapped_column(String(64), default="")
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    connected: Mapped[bool] = mapped_column(default=False)
    lost: Mapped[bool] = mapped_column(default=False)
    """somebody was told that nobody hears of it"""
    health: Mapped[str] = mapped_column(String(16), default="unknown")
    message: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[str] = mapped_column(String(64), default="")
    volume_used: Mapped[int] = mapped_column(BigInteger, default=0)
    volume_total: Mapped[int] = mapped_column(BigInteger, default=0)
    volume_level: Mapped[str] = mapped_column(String(16), default="fine")
    """model.usage.Level, as it was told last"""
    metrics: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    seen_at: Mapped[float | None] = mapped_column(Double)
    health_at: Mapped[float | None] = mapped_column(Double)
    """when health last changed"""


class Command(Table):
    """Something a guest is to do. The id is run/step/verb/guest, so asking again finds the same command."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_pending", "answered", "guest_id"),)

    id: Mapped[str] = mapped_column(String(190), primary_key=True)
    guest_id: Mapped[str] = mapped_column(Id)
    run_id: Mapped[str | None] = mapped_column(Id)
    """the run that its answer wakes"""
    verb: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """emptied with the answer"""
    term: Mapped[int] = mapped_column(BigInteger, default=0)
    answered: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    error: Mapped[str] = mapped_column(Body, default="")
    error_kind: Mapped[str] = mapped_column(String(16), default="")
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(String(16), default="")
    created: Mapped[float] = mapped_column(Double)
