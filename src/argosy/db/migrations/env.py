"""What Alembic runs: our connection, which `argosy.db.migrate` has opened and locked, and our tables."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from argosy.db.sealed import Sealed
from argosy.db.tables import Table


def plain(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A sealed column as the bytes that it rests as: a migration outlives the code around it."""
    return "sa.LargeBinary(1_000_000)" if kind == "type" and isinstance(item, Sealed) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    compare_type=True,
    render_item=plain,
)
with context.begin_transaction():
    context.run_migrations()
