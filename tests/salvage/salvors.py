"""Real backups in a store, and somebody who has that and the escrow, and nothing else."""

from __future__ import annotations

import contextlib
import getpass
import os
import pwd
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from argosy.cli import passphrases
from argosy.db import escrow
from argosy.engines import registry
from argosy.engines.base import Found
from argosy.model.backups import Manifest
from argosy.model.guest import Identity, Secret
from argosy.stores.filesystem import FilesystemStore
from argosy.testing import hands, servers
from argosy.testing.archives import Vault
from argosy.testing.clients import CLIENTS, Login, Tenant
from argosy.testing.hands import NOBODY, Hands
from argosy.testing.servers import Farm, Server
from argosy.testing.tapes import Recorder, Tape

MASTER = bytes(range(32))
PASSPHRASE = "correct horse battery"
PASSWORD = "wonderland"


class Salvor:
    """Somebody with the store and the escrow, and nothing else: the user that the server will run as."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.user = NOBODY if os.getuid() == 0 else getpass.getuser()
        (home / "password").write_text(PASSWORD + "\n")

    def as_root(self) -> Salvor:
        """The same, but that they are careless. Skips the test where we cannot be root."""
        if os.getuid() != 0:
            pytest.skip("needs root")
        careless = Salvor(self.home)
        careless.user = "root"
        return careless

    @cached_property
    def vault(self) -> Vault:
        """A store of our own making."""
        with (self.home / "escrow").open("wb") as out:
            escrow.write(out, MASTER, PASSPHRASE)
        return Vault(FilesystemStore(self.home / "objects"), MASTER)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return self._spawn([sys.executable, "-P", "-m", "argosy.salvage.main", *words], stdout=subprocess.PIPE)

    def script(self, lines: Sequence[str], place: str, path: str) -> str:
        """What they said. Whatever they started and did not end dies with them."""
        said = self.home / "said"
        with said.open("wb") as out:
            command = ["bash", "-c", "\n".join(["set -eux", *lines])]
            process = self._spawn(command, place, stdout=out, process_group=0, PATH=path)
        try:
            assert process.wait(120) == 0, said.read_text()
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return said.read_text()

    def _spawn(
        self,
        command: Sequence[str],
        place: str = ".",
        *,
        stdout: Any,
        process_group: int | None = None,
        **environment: str,
    ) -> subprocess.Popen[str]:
        """As the user that servers run as, or as root: then nothing is given away."""
        if self.user != "root":
            hands.give(self.home)
        home = {"HOME": pwd.getpwnam(self.user).pw_dir, passphrases.VARIABLE: PASSPHRASE}
        return subprocess.Popen(
            command,
            cwd=self.home / place,
            env={**os.environ, **home, **environment},
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=process_group,
            **(_identity(self.user) if os.getuid() == 0 else {}),
        )

    def run(self, *words: str, status: int = 0) -> str:
        with self.start("--store", "objects", "--escrow", "escrow", *words) as process:
            said = process.communicate(timeout=200)[0]
        assert process.returncode == status, said
        return said

    @contextmanager
    def served(self, place: Path, engine: str, port: int) -> Iterator[Tenant]:
        with self.start("serve", str(place), "--password-file", "password") as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert f"answers on 127.0.0.1:{port}" in line, line + process.stdout.read()
                tenant = CLIENTS[engine](Login("127.0.0.1", port, "root", PASSWORD))
                yield tenant
                tenant.close()
            finally:
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0


def _identity(user: str) -> dict[str, Any]:
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


@dataclass
class Archive:
    """Chains of backups of real servers, each taken once for all tests."""

    farm: Farm
    salvor: Salvor
    templates: dict[str, Server] = field(default_factory=dict)
    chains: dict[str, list[Manifest]] = field(default_factory=dict)

    def found(self, name: str) -> Found:
        return servers.require(name.partition(" ")[0], name.partition(" ")[2])

    def chain(self, name: str, *strategies: str) -> list[Manifest]:
        """Of an engine, as `postgresql 17`."""
        whole = f"{name} {strategies}"
        if whole not in self.chains:
            self.chains[whole] = _kept(self._source(name), self.salvor, strategies)
        return self.chains[whole]

    def _source(self, name: str) -> Server:
        engine = registry.get(name.partition(" ")[0])
        if name not in self.templates:
            self.templates[name] = self.farm.template(engine, self.found(name))
        server = self.farm.clone(self.templates[name], Identity(str(uuid.uuid4()), 1))
        server.hands.close()
        server.hands = Hands(type("Recording", (Recorder, engine.load_driver()), {}), server.site)
        server.start()
        return server


def _kept(server: Server, salvor: Salvor, strategies: Sequence[str]) -> list[Manifest]:
    """Before each backup something is written, and something after the last."""
    server.hands.call("put_master", Secret(PASSWORD))
    tapes, kept = salvor.home / f"tapes-{uuid.uuid4().hex[:6]}", list[Manifest]()
    tapes.mkdir()
    hands.give(tapes)
    tenant, since = server.connect(server.login("root", Secret(PASSWORD))), None
    for number, strategy in enumerate(strategies):
        tenant.write(f"key {number}", f"value {number}")
        tape: Tape = server.hands.call("record", strategy, tapes / str(number), since)
        since = tape.taken.position
        told: dict[str, Any] = {"engine": server.engine.name, "version": server.found.version, "strategy": strategy}
        kept.append(salvor.vault.keep(tape.path, kept[-1] if kept else None, position=since, **told))
    tenant.write("later", "too late")
    tenant.close()
    server.stop()
    return kept
