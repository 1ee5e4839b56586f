"""Finds MariaDB: the host's packages, the same unpacked, or a binary distribution unpacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import programs, roots
from argosy.engines.base import Capability, Found

LAYOUT = roots.Layout("MariaDB", ("bin", "sbin", "*/bin", "*/sbin"), ("mariadbd",))

SYSTEM_TABLES = "mysql_system_tables.sql"

BY_PROGRAM = {Capability.BACKUPS: "mariadb-backup", Capability.POINT_IN_TIME: "mariadb-binlog"}
"""what comes in packages of its own"""


def find(root: Path) -> Sequence[Found]:
    """Each server under `root`, newest last."""
    found = [_look(place, LAYOUT.root(place, root)) for place in LAYOUT.places(root)]
    return sorted((each for each in found if each), key=lambda each: roots.order(each.version))


def base(root: Path) -> Path:
    """What MariaDB calls its basedir."""
    return LAYOUT.place(root).parent


def share(root: Path) -> Path:
    """The directory of messages, character sets and the SQL of the system tables."""
    for name in ("share/mysql", "share/mariadb", "share"):
        if (base(root) / name / SYSTEM_TABLES).is_file():
            return base(root) / name
    raise errors.GuestFailed(f"MariaDB in {root} lacks {SYSTEM_TABLES}: install the whole server package")


def _look(place: Path, root: Path) -> Found | None:
    version = re.search(r"Ver (\d+(?:\.\d+)+)-MariaDB", programs.ask(place / "mariadbd", "--version"))
    if version is None:
        return None
    has = {Capability.ACCOUNTS, Capability.DATABASES, Capability.TLS, Capability.UPGRADES}
    for capability, program in BY_PROGRAM.items():
        if (place.parent / "bin" / program).is_file():
            has.add(capability)
    return Found(version[1], root, frozenset(has))
