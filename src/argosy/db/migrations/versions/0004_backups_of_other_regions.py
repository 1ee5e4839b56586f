"""Backups that lie in other regions, and what opens them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from argosy.db.migrations.repeatable import add_column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "keys_from_elsewhere",
        sa.Column("master", sa.String(length=16), nullable=False),
        sa.Column("key", sa.LargeBinary(1_000_000), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("master"),
        if_not_exists=True,
    )
    add_column("backups", sa.Column("region", sa.String(length=64), nullable=False), existing="''")
