"""Identity `local`."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Double, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Name, Table


class Project(Table):
    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)


class Account(Table):
    """A user of Argosy (not of a database)."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    """argon2id, encoded"""
    default_project_id: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(Name, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)


class RoleAssignment(Table):
    __tablename__ = "role_assignments"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class ApplicationCredential(Table):
    __tablename__ = "application_credentials"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name)
    account_id: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the random secret, hex"""
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    description: Mapped[str] = mapped_column(Text, default="")
    expires: Mapped[float | None] = mapped_column(Double)


class Token(Table):
    __tablename__ = "tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the token, hex: a copy of this table opens nothing"""
    account_id: Mapped[str] = mapped_column(String(64), index=True)
    project_id: Mapped[str | None] = mapped_column(String(64))
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    methods: Mapped[list[str]] = mapped_column(JSON, default=list)
    audit_id: Mapped[str] = mapped_column(String(64))
    application_credential_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """the application credential it was issued for: it dies with it"""
    issued: Mapped[float] = mapped_column(Double)
    expires: Mapped[float] = mapped_column(Double, index=True)


class LoginFailure(Table):
    """Failed logins of one user in one minute."""

    __tablename__ = "login_failures"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of who tried, hex: people type passwords where names belong"""
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
