"""A conductor as its own process, and what a deployment keeps for it: keys, control database, rows of guests."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from argosy import settings
from argosy.db import sealed
from argosy.db.session import Database
from argosy.db.tables import Command, Endpoint, Guest, Table
from argosy.durable.doorbell import Doorbell
from argosy.guest import authority, enrolment, mailbox
from argosy.testing import claims
from argosy.testing.waiting import eventually

CONDUCTOR = """
import sys; from pathlib import Path; from argosy import settings; from argosy.conductor import main
sys.exit(main.run(settings.load(Path(sys.argv[1]))))
"""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Channel:
    """One deployment's side of the guest channel. `start` runs a real conductor on it."""

    def __init__(
        self,
        state: Path,
        *,
        url: str = "",
        store: Mapping[str, Any] = NOTHING,
        regions: Mapping[str, str] = NOTHING,
        **conductor: Any,
    ) -> None:
        listening = {"port": claims.port(), "heartbeat_seconds": 1.0, **conductor}
        tables = {"conductor": listening, "database": {"url": url}, "store": dict(store), "regions": dict(regions)}
        self.settings = settings.from_tables(state, tables)
        write_settings(state, tables)
        sealed.make(self.settings.keys / "master.key")
        sealed.use(self.settings.keys / "master.key")
        authority.make(self.settings.keys)
        self.authority = authority.load(self.settings.keys)
        self.database = Database(self.settings.database_url)
        self.bell = Doorbell(self.settings, "api")
        self.database.ring = self.bell.ring
        Table.metadata.create_all(self.database.engine)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.settings.conductor.port}"

    @property
    def log(self) -> Path:
        return self.settings.state / "conductor.log"

    def start(self) -> None:
        """A conductor that answers."""
        with self.log.open("ab") as log:
            argv = [sys.executable, "-c", CONDUCTOR, str(self.settings.state)]
            self.process = subprocess.Popen(argv, stderr=log, stdout=log)
        eventually(self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), self.dial():
            return True
        return False

    def dial(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=self.authority.pem)
        plain = socket.create_connection(("127.0.0.1", self.settings.conductor.port), 10)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The conductor's exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(20)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()
        self.bell.close()
        self.database.engine.dispose()

    # --- rows ---

    def expect(self, guest: str = "", generation: int = 1, host: str = "127.0.0.1", port: int = 1) -> str:
        """A guest that will enrol, with an endpoint; its id."""
        guest = guest or str(uuid.uuid4())
        with self.database.write() as session:
            enrolment.expect(session, guest, generation)
            session.merge(Endpoint(id=guest, instance_id=guest, role="writer", host=host, port=port, names=[]))
        return guest

    def boot(self, guest: str, engine: str = "redis", version: str = "7", generation: int = 1) -> dict[str, Any]:
        """The guest's boot document."""
        return {
            "guest": guest,
            "generation": generation,
            "engine": engine,
            "version": version,
            "conductors": [self.url],
            "authority": self.authority.pem,
            "token": enrolment.token(guest, generation),
            "heartbeat_seconds": self.settings.conductor.heartbeat_seconds,
        }

    def ask(self, guest: str, verb: str, term: int = 0, **arguments: Any) -> str:
        """Leave a command; its id."""
        command = Command(id=f"test/{verb}/{uuid.uuid4()}", guest_id=guest, verb=verb, arguments=arguments, term=term)
        with self.database.write() as session:
            mailbox.send(session, command)
        return command.id

    def command(self, name: str) -> Command:
        with self.database.read() as session:
            return session.get_one(Command, name)

    def guest(self, name: str) -> Guest:
        with self.database.read() as session:
            return session.get_one(Guest, name)

    def await_answer(self, name: str, within: float = 30) -> Command:
        """The command once it is answered."""
        eventually(lambda: self.command(name).answered, within, every=0.005)
        return self.command(name)


def write_settings(state: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    """`argosy.toml`, so that a process of its own reads the same."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        f"[{name}]\n" + "".join(f"{key} = {value!r}\n" for key, value in table.items())
        for name, table in tables.items()
    ]
    (state / "argosy.toml").write_text("\n".join(lines))
