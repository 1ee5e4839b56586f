"""The release before, running with databases in it, becomes this one: nobody's connection and no row is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

import argosy as installed
from argosy.client.resources import Client, Document, Request
from argosy.db.tables import Guest, Instance
from argosy.model import release
from argosy.testing import machines
from argosy.testing.connections import Door, door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

FORMER = "332a2c7"
"""The release before this one."""
LACKS = frozenset({"console"})
"""Roles that it has not."""
PACKAGE = Path(installed.__file__).parent
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Installation:
    """An environment of packages of its own, in which releases of Argosy take turns."""

    place: Path

    @property
    def python(self) -> str:
        return str(self.place / "bin" / "python")

    @property
    def package(self) -> Path:
        return next(self.place.glob("lib/python3*/site-packages")) / "argosy"

    def install_former(self) -> None:
        made = subprocess.run(["git", "archive", FORMER, "src/argosy"], cwd=CHECKOUT, capture_output=True, check=False)
        if made.returncode != 0:
            pytest.skip("this checkout does not hold the release before")
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["tar", "-x", "-C", place], input=made.stdout, check=True)
            self._put(Path(place) / "src" / "argosy")
        with (self.package / "agent" / "__init__.py").open("a") as out:
            out.write("# Agents are replaced by others, also while nothing of them has changed since.\n")

    def install_this(self) -> None:
        self._put(PACKAGE)

    def _put(self, source: Path) -> None:
        """In place, as a checkout changes over."""
        if self.package.exists():
            for each in self.package.iterdir():
                shutil.rmtree(each) if each.is_dir() else each.unlink()
        shutil.copytree(source, self.package, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """With what this interpreter's environment holds, but Argosy."""
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    place = Path(tempfile.mkdtemp(prefix="ag-env-", dir="/tmp"))
    place.chmod(0o755)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    found = Installation(place)
    skipped = shutil.ignore_patterns("__pycache__", "argosy*", "__editable__*", "mypy*", "ruff*", "hypothesis*")
    shutil.copytree(Path(psycopg.__file__).parents[1], found.package.parent, dirs_exist_ok=True, ignore=skipped)
    yield found
    shutil.rmtree(place)


class Writer:
    """One connection, and a row after the other through it; what was acknowledged is counted."""

    def __init__(self, at: Door) -> None:
        self._trust = tempfile.NamedTemporaryFile("w")  # noqa: SIM115 - libpq reads it again
        self._trust.write(at.authority)
        self._trust.flush()
        place = f"host={at.host} port={at.port} dbname=postgres sslmode=verify-full sslrootcert={self._trust.name}"
        self.session = psycopg.connect(f"{place} user={at.user} password={at.password}", autocommit=True)
        self.session.execute("CREATE TABLE rows (number integer PRIMARY KEY)")
        self.acknowledged = 0
        self.failure: Exception | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        try:
            while not self._stopped.wait(0.01):
                self.session.execute("INSERT INTO rows VALUES (%s)", [self.acknowledged])
                self.acknowledged += 1
        except Exception as error:  # noqa: BLE001 - told to the test
            self.failure = error

    def stop(self) -> int:
        """How many rows there are."""
        self._stopped.set()
        self._thread.join()
        assert self.failure is None, self.failure
        row = self.session.execute("SELECT count(*) FROM rows").fetchone()
        self.session.close()
        assert row is not None
        return int(row[0])


def ready(client: Client, name: str, engine: str) -> tuple[Document, Door]:
    made = client.instances.create(Request(name, engine, "2", 1))
    eventually(lambda: client.instances.get(made["id"])["operating_status"] == "HEALTHY", within=120)
    seen = client.instances.get(made["id"])
    return seen, door(client, seen, made["password"])


def renewed(argosy: Deployment) -> bool:
    """Every agent that is connected says that it is of this release."""
    with argosy.database.read() as session:
        told = session.scalars(select(Guest.agent).join(Instance, Instance.id == Guest.id)).all()
    assert set(told) == {release.agent()}, told
    return True


def test_the_release_before_is_upgraded_under_running_databases(installation: Installation, tmp_path: Path) -> None:
    kept, passphrase = tmp_path / "before.self", tmp_path / "passphrase"
    passphrase.write_text("correct horse battery\n")
    installation.install_former()
    deployment = Deployment("root", installation.python, conductor={"heartbeat_seconds": 1})
    deployment.lacks = LACKS
    with deployment as argosy:
        client = argosy.client()
        instances = [ready(client, engine, engine) for engine in ("postgresql", "redis")]
        engines = {each["id"]: machines.engine_of(each["id"]) for each, _door in instances}
        agents = {each["id"]: machines.agent_of(each["id"]) for each, _door in instances}
        writer = Writer(instances[0][1])
        argosy.bare("backup-self", str(kept), "--passphrase-file", str(passphrase))
        installation.install_this()
        argosy.down()
        argosy.lacks = frozenset()
        argosy.lay_out()  # the console's usual port may be another deployment's
        argosy.up()
        eventually(lambda: renewed(argosy), within=90)
        assert {each: machines.engine_of(each) for each in engines} == engines
        assert all(machines.agent_of(each) != former for each, former in agents.items())
        assert writer.stop() == writer.acknowledged > 0
        client = argosy.client()
        for each, _door in instances:
            eventually(lambda each=each: client.instances.get(each["id"])["operating_status"] == "HEALTHY", within=60)
        argosy.cli("db", "restart", "redis")
        argosy.down()
        argosy.bare("restore-self", str(kept), "--force", "--passphrase-file", str(passphrase))
        way_back(argosy, installation)
        kept_on = instances[0][0]["id"]
        assert machines.engine_of(kept_on) == engines[kept_on]


def way_back(argosy: Deployment, installation: Installation) -> None:
    """The state before the upgrade, under the release before: databases run on."""
    installation.install_former()
    argosy.lacks = LACKS
    argosy.up()
    names = {each["name"] for each in argosy.client().instances.list()}
    assert names == {"postgresql", "redis"}
    argosy.down()
    installation.install_this()
