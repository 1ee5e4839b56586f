"""Statements of a migration that may be repeated: MariaDB commits each by itself, so an upgrade can stop anywhere."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op


def add_column(table: str, column: sa.Column[Any], *, existing: str = "") -> None:
    """Add the column unless it is there. `existing`: the SQL constant that rows get which are there already."""
    known = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name in known:
        return
    if not column.nullable:
        column.server_default = sa.DefaultClause(sa.text(existing))
    op.add_column(table, column)
