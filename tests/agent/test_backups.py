"""Backups by a real agent of a real server, through a real conductor, into a store and back."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from argosy.stores import deployment
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel

PASSWORD = "correct-horse-battery"
Make = Callable[..., RealGuest]


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
        told = {name: answer[name] for name in ("attempt", "position", "sha256", "raw_bytes", "parts_sha256")}
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


@pytest.fixture
def prepared(channel: Channel, guest: Make) -> RealGuest:
    channel.start()
    made = guest()
    made.start()
    made.do("prepare", master=PASSWORD)
    return made


def test_what_was_backed_up_is_there_in_another_guest(prepared: RealGuest, guest: Make) -> None:
    tenant = client(prepared)
    for number in range(1000):
        tenant.set(f"key-{number}", secrets.token_bytes(1000))
    asked = Asked()
    answer = prepared.do("backup", **asked.order())
    assert answer["attempt"].startswith(asked.attempt)
    store = deployment.store(prepared.channel.settings)
    assert [key.rpartition("/")[2] for key in store.list(asked.place)] == ["000000", "parts.json"]
    other = guest()
    other.start()
    other.do("restore", chain=[asked.link(answer)], **restored())
    assert all(client(other).get(f"key-{number}") == tenant.get(f"key-{number}") for number in range(1000))
    client(other).set("later", "too")
    other.do("restart")
    assert client(other).get("later") == b"too"
