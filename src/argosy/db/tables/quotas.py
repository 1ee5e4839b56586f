"""What a project may hold, and holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Table


class Quota(Table):
    """A project's own limit, where it differs from the settings."""

    __tablename__ = "quotas"

    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(32), primary_key=True)
    hard_limit: Mapped[int] = mapped_column(Integer)


class QuotaUse(Table):
    """What a project holds. Changed by one conditional update in the transaction that makes or frees it."""

    __tablename__ = "quota_uses"

    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(32), primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger, default=0)
