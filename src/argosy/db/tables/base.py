"""What every table is made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import DDLCompiler

Id = String(36)
ProjectId = String(64)
Name = String(255)
Body = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Table(DeclarativeBase):
    pass


@compiles(CreateTable, "mysql", "mariadb")
def _in_unicode(create: CreateTable, compiler: DDLCompiler, **options: Any) -> str:
    """Every name can be kept, and is compared letter by letter as elsewhere, whatever the server's default is."""
    statement: str = compiler.visit_create_table(create, **options)  # type: ignore[no-untyped-call] # SQLAlchemy's
    return statement.rstrip() + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\n"
