"""Finds Redis and Valkey: the host's package, the same unpacked, a directory with `bin/redis-server`, or a wheel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from argosy.engines import programs, roots, versions
from argosy.engines.base import Capability, Found

LAYOUT = roots.Layout(
    "Redis or Valkey", ("bin", "usr/bin", "*/bin", "_binaries/*", "*/_binaries/*"), ("redis-server|valkey-server",)
)

TLS_MESSAGE = b"Failed to load certificate"
"""Only builds with OpenSSL have something to say of it, while Valkey knows the settings without. There is no way to
ask a server without starting it.
"""


def find(root: Path) -> Sequence[Found]:
    """Each server under `root`, newest last."""
    found = [_look(place, LAYOUT.root(place, root)) for place in LAYOUT.places(root)]
    return sorted((each for each in found if each), key=lambda each: roots.order(each.version))


def server(place: Path) -> Path:
    """The one that a directory is for: where both are, Redis, and Valkey needs an engine root of its own."""
    redis = place / "redis-server"
    return redis if redis.is_file() else place / "valkey-server"


def _look(place: Path, root: Path) -> Found | None:
    """Packages of Valkey have a link `redis-server`: what the program says counts."""
    program = server(place)
    told = re.search(r"(Redis|Valkey) server v=(\d+(?:\.\d+)+)", programs.ask(program, "--version"))
    if told is None:
        return None
    version = told[2] if told[1] == "Redis" else versions.of("valkey", told[2])
    capabilities = frozenset({Capability.ACCOUNTS, Capability.UPGRADES, Capability.BACKUPS, Capability.POINT_IN_TIME})
    if TLS_MESSAGE in program.read_bytes():
        return Found(version, root, capabilities | {Capability.TLS})
    return Found(version, root, capabilities, "built without OpenSSL: connections are not encrypted")
