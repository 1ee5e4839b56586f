"""A real Keystone in a process and a virtual environment of its own, on SQLite."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3
from cryptography.fernet import Fernet

from argosy.testing import claims, environments
from argosy.testing.waiting import eventually

VENV = Path(os.environ.get("ARGOSY_KEYSTONE_VENV") or Path(__file__).parents[2] / ".venv-keystone")
PACKAGES = ("keystone==30.0.0", "pyuwsgi==2.0.30.post1")
PASSWORD = "admin-of-keystone"

CONFIGURATION = """
[database]
connection = sqlite:///{home}/keystone.db
[fernet_tokens]
key_repository = {home}/fernet-keys
[fernet_receipts]
key_repository = {home}/receipt-keys
[credential]
key_repository = {home}/credential-keys
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = oslo_cache.dict
"""


@dataclass(frozen=True)
class Keystone:
    url: str
    home: Path


def installed() -> None:
    """Skips the test where it is not, unless REQUIRE_ENGINES names keystone: then it is installed (200 MB)."""
    environments.require("keystone", VENV, PACKAGES)


@contextmanager
def running(home: Path) -> Iterator[Keystone]:
    """A bootstrapped Keystone with one worker: with SQLite it must not be more."""
    configuration = home / "keystone.conf"
    configuration.write_text(CONFIGURATION.format(home=home))
    port = claims.port()
    keystone = Keystone(f"http://127.0.0.1:{port}/v3", home)
    _prepare(configuration, keystone)
    command = [
        VENV / "bin" / "uwsgi",
        "--http-socket",
        f"127.0.0.1:{port}",
        "--module",
        "keystone.wsgi.api:application",
    ]
    environment = {**os.environ, "OS_KEYSTONE_CONFIG_FILES": str(configuration)}
    with (home / "keystone.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--master", "--die-on-term", "--add-header", "Connection: close"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: _answers(keystone), within=60)
        yield keystone
    finally:
        process.terminate()
        process.wait(30)


def _prepare(configuration: Path, keystone: Keystone) -> None:
    for name in ("fernet-keys", "receipt-keys", "credential-keys"):
        _keys(keystone.home / name)
    _manage(configuration, "db_sync")
    addresses = [f"--bootstrap-{kind}-url={keystone.url}" for kind in ("public", "internal", "admin")]
    _manage(
        configuration, "bootstrap", f"--bootstrap-password={PASSWORD}", "--bootstrap-region-id=RegionOne", *addresses
    )


def _keys(repository: Path) -> None:
    """What keystone-manage's three set-up commands do, without starting Keystone three times."""
    repository.mkdir(mode=0o700)
    for number in ("0", "1"):
        (repository / number).write_bytes(Fernet.generate_key())


def _manage(configuration: Path, *command: str) -> None:
    manage = [VENV / "bin" / "keystone-manage", "--config-file", configuration, *command]
    done = subprocess.run(manage, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _answers(keystone: Keystone) -> bool:
    try:
        return urllib3.request("GET", keystone.url, retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False
