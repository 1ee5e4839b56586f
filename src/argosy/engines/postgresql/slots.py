"""Slots: how a server is told from where on its log is needed. `max_slot_wal_keep_size` bounds what that costs."""

from __future__ import annotations

from argosy.engines.postgresql import positions, wire
from argosy.engines.postgresql.wire import literal

ARCHIVE = "argosy_archive"

GONE = frozenset({"lost", None})


def begin(session: wire.Connection, name: str) -> None:
    """Keep the log from the last checkpoint on, whatever the slot kept before."""
    drop(session, name)
    session.query(f"SELECT pg_create_physical_replication_slot({literal(name)}, true)")


def kept_from(session: wire.Connection, name: str) -> int | None:
    """None: there is no such slot, or the server has given up on it."""
    rows = session.query(
        f"SELECT restart_lsn, wal_status FROM pg_replication_slots WHERE slot_name = {literal(name)}"  # noqa: S608 - quoted
    )
    if not rows or rows[0][0] is None or rows[0][1] in GONE:
        return None
    return positions.parse(rows[0][0])


def advance(session: wire.Connection, name: str, place: int) -> None:
    """What comes before is not needed any more; a slot that the server has given up begins anew."""
    kept = kept_from(session, name)
    if kept is None:
        begin(session, name)
    elif kept < place:
        session.query(f"SELECT pg_replication_slot_advance({literal(name)}, {literal(positions.text(place))})")


def drop(session: wire.Connection, name: str) -> None:
    session.query(
        f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {literal(name)}"  # noqa: S608 - quoted
    )
