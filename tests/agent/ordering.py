"""Backups as a workflow asks a guest for them, and what is in the guest before and after."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any

import redis

from argosy.agent import moving
from argosy.testing.agents import RealGuest

PASSWORD = "correct-horse-battery"


def client(guest: RealGuest, password: str = PASSWORD) -> redis.Redis:
    authority = guest.channel.authority.pem
    return redis.Redis(
        guest.site.address, guest.site.port, username="root", password=password, ssl=True, ssl_ca_data=authority
    )


@dataclass
class Asked:
    """A backup as a workflow asks for it, and what came of it."""

    strategy: str = "rdb"
    backup: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempt: str = field(default_factory=lambda: secrets.token_hex(8))
    key: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def place(self) -> str:
        return f"database_backups/project/{self.backup}/"

    def order(self, **more: Any) -> dict[str, Any]:
        return {
            "backup": self.backup,
            "place": self.place,
            "attempt": self.attempt,
            "key": self.key,
            "strategy": self.strategy,
            "since": None,
            "total": 0,
            "limits": {},
            **more,
        }

    def link(self, answer: dict[str, Any]) -> dict[str, Any]:
        """As a restore is told of it."""
        told = {name: answer[name] for name in ("attempt", "position", "raw_bytes", "parts_sha256")}
        return {"backup": self.backup, "place": self.place, "key": self.key, "strategy": self.strategy, **told}


def restored(**more: Any) -> dict[str, Any]:
    told = {
        "target": None,
        "overrides": {},
        "master": None,
        "databases": [],
        "users": [],
        "identity": True,
        "run": True,
    }
    return {**told, **more}


MEGABYTES = 14


def fill(guest: RealGuest) -> None:
    tenant = client(guest)
    for number in range(MEGABYTES):
        tenant.set(f"filled-{number}", secrets.token_bytes(1 << 20))


def digest(guest: RealGuest) -> str:
    tenant = client(guest)
    return hashlib.sha256(b"".join(tenant.get(f"filled-{number}") or b"" for number in range(MEGABYTES))).hexdigest()


def nobody_works_in(guest: RealGuest) -> bool:
    places = [guest.state / "archive", guest.site.data / "scratch", guest.site.data / "unfinished"]
    return not any(place.exists() for place in places) and not list(moving._working(places))
