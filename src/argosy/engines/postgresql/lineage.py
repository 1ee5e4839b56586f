"""Which history of a database its files belong to.

A data directory that is restored goes another way than the one that it was copied from, under the same identifier and
on the same timeline, and reaches the same positions with other contents. So it carries a name that every restore
gives anew, and an incremental backup builds only on one of its own history.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from argosy.engines import files

FILE = "argosy.history"


def of(cluster: Path) -> str:
    """Named now when it has no name yet."""
    try:
        return (cluster / FILE).read_text().strip()
    except FileNotFoundError:
        return begin(cluster)


def begin(cluster: Path) -> str:
    """Another history begins here."""
    name = uuid.uuid4().hex
    files.write(cluster / FILE, f"{name}\n")
    return name
