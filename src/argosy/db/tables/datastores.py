"""What is on offer."""

from __future__ import annotations

from sqlalchemy import JSON, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from argosy.db.tables.base import Id, Name, Table


class Datastore(Table):
    __tablename__ = "datastores"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    engine: Mapped[str] = mapped_column(String(64))
    default_version_id: Mapped[str | None] = mapped_column(Id)


class DatastoreVersion(Table):
    """One exact version on offer, and what its build can do."""

    __tablename__ = "datastore_versions"
    __table_args__ = (UniqueConstraint("datastore_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    datastore_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Name)
    number: Mapped[str] = mapped_column(String(64))
    """the exact version: names the engine root and the template"""
    capabilities: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Name, default="")
    active: Mapped[bool] = mapped_column(default=True)
    """found by the provider, and not withdrawn by the operator"""
    withdrawn: Mapped[bool] = mapped_column(default=False)
    """an operator does not offer it, whatever the provider finds"""
    registered: Mapped[bool] = mapped_column(default=False)
    """made by an operator through the API: kept when the provider does not find its build"""
    manager: Mapped[str] = mapped_column(String(64), default="")
    """Trove's name of what runs it; empty: the datastore's"""
    image: Mapped[str | None] = mapped_column(Id)
    image_tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    packages: Mapped[list[str]] = mapped_column(JSON, default=list)
    registry_ext: Mapped[str | None] = mapped_column(Name)
    repl_strategy: Mapped[str | None] = mapped_column(Name)
    backup_strategy: Mapped[str] = mapped_column(String(32), default="")
    """that an operator wants where a call names none; empty: the engine's default"""


class VersionFlavor(Table):
    """The vetted menu: where a version has rows here, only these flavors may be asked for."""

    __tablename__ = "version_flavors"

    version_id: Mapped[str] = mapped_column(Id, primary_key=True)
    flavor_id: Mapped[str] = mapped_column(Name, primary_key=True)
