"""Real backups of real servers come back by the store and the escrow alone, and a real server runs on them."""

from __future__ import annotations

import getpass
import os
import pwd
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.cli import passphrases
from argosy.db import escrow
from argosy.engines import registry
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
CHAINS = {
    "mariabackup": ("mysql", "", ("mariabackup", "mariabackup-incremental", "mariabackup-incremental")),
    "mysqldump": ("mysql", "", ("mysqldump",)),
    "basebackup": ("postgresql", "15", ("basebackup",)),
}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


class Salvor:
    """Somebody with the store and the escrow, and nothing else: the user that the server will run as."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.vault = Vault(FilesystemStore(home / "objects"), MASTER)
        (home / "password").write_text(PASSWORD + "\n")
        with (home / "escrow").open("wb") as out:
            escrow.write(out, MASTER, PASSPHRASE)

    def start(self, *words: str) -> subprocess.Popen[str]:
        user = NOBODY if os.getuid() == 0 else getpass.getuser()
        hands.give(self.home)
        command = [sys.executable, "-P", "-m", "argosy.salvage.main", *words]
        return subprocess.Popen(
            command,
            cwd=self.home,
            env={**os.environ, passphrases.VARIABLE: PASSPHRASE, "HOME": pwd.getpwnam(user).pw_dir},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **({"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.getuid() == 0 else {}),
        )

    def run(self, *words: str) -> str:
        with self.start("--store", "objects", "--escrow", "escrow", *words) as process:
            said = process.communicate(timeout=200)[0]
        assert process.returncode == 0, said
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


@pytest.fixture
def salvor(farm: Farm) -> Salvor:
    home = farm.home / f"salvor-{uuid.uuid4().hex[:6]}"
    home.mkdir()
    return Salvor(home)


def _recording(farm: Farm, name: str, version: str) -> Server:
    engine, found = registry.get(name), servers.require(name, version)
    server = farm.clone(farm.template(engine, found), Identity(str(uuid.uuid4()), 1))
    server.hands.close()
    server.hands = Hands(type("Recording", (Recorder, engine.load_driver()), {}), server.site)
    server.start()
    return server


def _kept(server: Server, salvor: Salvor, strategies: Sequence[str]) -> list[Manifest]:
    """A chain of backups, before each of which something was written, and something after the last."""
    server.hands.call("put_master", Secret(PASSWORD))
    tapes, kept = salvor.home / "tapes", list[Manifest]()
    tapes.mkdir()
    hands.give(tapes)
    tenant, since = server.connect(server.login("root", Secret(PASSWORD))), None
    for number, strategy in enumerate(strategies):
        tenant.write(f"key {number}", f"value {number}")
        tape: Tape = server.hands.call("record", strategy, tapes / str(number), since)
        since = tape.taken.position
        told: dict[str, Any] = {"engine": server.engine.name, "version": server.found.version, "strategy": strategy}
        kept.append(salvor.vault.keep(tape.path, kept[-1] if kept else None, position=since, **told))
    tenant.write("later", "lost")
    tenant.close()
    server.stop()
    return kept


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_is_restored_and_served(farm: Farm, salvor: Salvor, chain: str) -> None:
    engine, version, strategies = CHAINS[chain]
    source = _recording(farm, engine, version)
    kept = _kept(source, salvor, strategies)
    place, port = salvor.home / "restored", random.randint(20000, 30000)
    root = str(source.found.root)
    salvor.run("restore", kept[-1].backup, "--to", str(place), "--engine-root", root, "--port", str(port))
    with salvor.served(place, engine, port) as tenant:
        assert [tenant.read(f"key {n}") for n in range(len(strategies))] == [
            f"value {n}" for n in range(len(strategies))
        ]
        assert tenant.read("later") is None
        tenant.write("new", "accepted")
