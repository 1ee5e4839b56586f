"""Finds Redis: the host's package, the same unpacked, or a directory with `bin/redis-server`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from argosy.engines import programs, roots
from argosy.engines.base import Capability, Found

LAYOUT = roots.Layout("Redis", ("bin", "usr/bin", "*/bin"), ("redis-server",))

TLS_SETTING = b"tls-auth-clients"
"""Builds without OpenSSL do not know the setting, and there is no way to ask one without starting it."""


def find(root: Path) -> Sequence[Found]:
    """Each server under `root`, newest last."""
    found = [_look(place, LAYOUT.root(place, root)) for place in LAYOUT.places(root)]
    return sorted((each for each in found if each), key=lambda each: roots.order(each.version))


def _look(place: Path, root: Path) -> Found | None:
    server = place / "redis-server"
    version = re.search(r"Redis server v=(\d+(?:\.\d+)+)", programs.ask(server, "--version"))
    if version is None:
        return None
    capabilities = frozenset({Capability.ACCOUNTS, Capability.UPGRADES})
    if TLS_SETTING in server.read_bytes():
        return Found(version[1], root, capabilities | {Capability.TLS, Capability.UPGRADES})
    return Found(version[1], root, capabilities, "built without OpenSSL: connections are not encrypted")
