"""A guest at the conductor's door to the store, saying exactly what a test wants it to say."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argosy.agent.door import Door, Lost
from argosy.db.tables import Command
from argosy.stores import deployment
from argosy.stores.base import Store
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

ATTEMPT = "0123456789abcdef"


@dataclass
class Told:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Bringing:
    """A guest with a command, at the door."""

    channel: Channel
    guest: str
    credential: str
    command: str
    place: str

    @property
    def store(self) -> Store:
        return deployment.store(self.channel.settings)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Told:
        connection = http.client.HTTPSConnection("127.0.0.1", self.channel.settings.conductor.port, timeout=60)
        connection.sock = self.channel.dial()
        connection.request(method, path, body, {"Authorization": f"Bearer {self.credential}", **(headers or {})})
        answer = connection.getresponse()
        told = Told(answer.status, dict(answer.headers), answer.read())
        connection.close()
        return told

    def put(self, data: bytes = b"sealed", name: str = "000000", attempt: str = ATTEMPT, command: str = "") -> int:
        return self.ask("PUT", f"/v1/guest/objects/{attempt}/{name}?command={command or self.command}", data).status

    def get(self, path: str, command: str = "", **headers: str) -> Told:
        return self.ask("GET", f"/v1/guest/{path}?command={command or self.command}", headers=headers)

    def end(self, **changed: bool) -> None:
        with self.channel.database.write() as session:
            command = session.get_one(Command, self.command)
            for name, value in changed.items():
                setattr(command, name, value)

    def stored(self) -> list[str]:
        return [each.removeprefix(self.place) for each in self.store.list(self.place)]


def backing_up(channel: Channel, **arguments: Any) -> Bringing:
    """A guest that is asked for a backup."""
    guest, backup = channel.expect(), str(uuid.uuid4())
    place = f"database_backups/p1/{backup}/"
    told = {"backup": backup, "place": place, "attempt": ATTEMPT, **arguments}
    return Bringing(channel, guest, _enrolled(channel, guest), channel.ask(guest, "backup", **told), place)


def _enrolled(channel: Channel, guest: str) -> str:
    return eventually(lambda: _enrol(channel, guest))


def _enrol(channel: Channel, guest: str) -> str:
    """Nothing from a conductor that is too busy just now."""
    boot, door = channel.boot(guest), Door(channel.url, channel.authority.pem)
    try:
        told = door.post("/v1/enrol", {name: boot[name] for name in ("guest", "generation", "token")})
    except Lost:
        return ""
    return str(told["credential"])
