"""Somebody who takes backups of databases, and restores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from owners import Owner

from argosy.client.resources import Document
from argosy.testing.waiting import answered, eventually

MAKE = {
    "postgresql": "CREATE TABLE IF NOT EXISTS kept (id serial PRIMARY KEY, it text)",
    "mariadb": "CREATE TABLE IF NOT EXISTS kept.kept (id INT AUTO_INCREMENT PRIMARY KEY, it TEXT)",
}
TABLE = {"postgresql": "kept", "mariadb": "kept.kept"}
COUNT = {"postgresql": "SELECT count(*) FROM kept", "mariadb": "SELECT COUNT(*) FROM kept.kept", "redis": "DBSIZE"}


@dataclass
class Keeper:
    owner: Owner

    def write(self, instance: Document, engine: str, many: int) -> None:
        """So many rows more."""
        door = self.owner.door(instance)
        if engine == "redis":
            have = self.rows(instance, engine)
            for number in range(have, have + many):
                door.ask(f"SET kept:{number} {number}")
            return
        if engine == "mariadb":
            door.ask("CREATE DATABASE IF NOT EXISTS kept")
        door.ask(MAKE[engine])
        rows = ",".join(f"('{number}')" for number in range(many))
        door.ask(f"INSERT INTO {TABLE[engine]} (it) VALUES {rows}")

    def rows(self, instance: Document, engine: str, **more: Any) -> int:
        return int(self.owner.door(instance, **more).ask(COUNT[engine]))

    def holds(self, instance: Document, engine: str, many: int) -> None:
        """So many rows, within a few seconds: the server may just be coming back."""

        def look() -> bool:
            assert answered(lambda: self.rows(instance, engine)) == many
            return True

        eventually(look, within=30)

    def begin(self, instance: Document, name: str = "b", **more: Any) -> Document:
        body = {"backup": {"name": name, "instance": instance["id"], **more}}
        made: Document = self.owner.client.session.post("/backups", body)["backup"]
        return made

    def backed_up(self, instance: Document, name: str = "b", **more: Any) -> Document:
        return self.complete(self.begin(instance, name, **more)["id"])

    def get(self, backup: str) -> Document:
        found: Document = self.owner.client.session.get(f"/backups/{backup}")["backup"]
        return found

    def complete(self, backup: str) -> Document:
        ended = self.ended(backup)
        assert ended["status"] == "COMPLETED", ended
        return ended

    def ended(self, backup: str, *, within: float = 180, every: float = 0.02) -> Document:
        def look() -> Document | None:
            seen = self.get(backup)
            return seen if seen["status"] not in ("NEW", "BUILDING", "SAVING") else None

        found = eventually(look, within=within, every=every)
        assert found is not None
        return found

    def delete(self, backup: str) -> None:
        self.owner.client.session.delete(f"/backups/{backup}")

    def restoring(self, backup: Document, engine: str, name: str = "r", **more: Any) -> Document:
        """A new instance that begins as the backup."""
        wanted = {
            "name": name,
            "flavorRef": "2",
            "volume": {"size": 1},
            "datastore": {"type": engine},
            "restorePoint": {"backupRef": backup["id"]},
            **more,
        }
        made: Document = self.owner.client.session.post("/instances", {"instance": wanted})["instance"]
        self.owner.passwords[made["id"]] = made.get("password", "")
        return made

    def restored(self, backup: Document, engine: str, name: str = "r", **more: Any) -> Document:
        made = self.restoring(backup, engine, name, **more)
        ended = self.owner.ended(made["id"])
        assert ended["state"] == "done", ended
        return self.owner.healthy(made["id"])
