"""Which history of a database its files belong to.

A data directory that was restored goes another way than the one that it was copied from, under the same identifier and
on the same timeline, and reaches the same positions with other contents. So every server that is made over a volume
gives what it does a name of its own, and an increment builds only on a backup of the same.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from argosy.engines import files


def of(state: Path) -> str:
    """Named now when it has no name yet."""
    file = state / "history"
    if not file.exists():
        files.write(file, uuid.uuid4().hex)
    return file.read_text()
