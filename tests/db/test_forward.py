"""A control database of the release before, with a row of everything and operations in flight, is used by this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, LargeBinary, MetaData, func, insert, select

from argosy import clock
from argosy.db import copying, migrate, sealed
from argosy.db.session import Database
from argosy.db.tables import Command, DatastoreVersion, Guest, Instance, Run, RunStep, Table
from argosy.durable import workers
from argosy.durable.lease import Leases
from argosy.durable.runner import Runner
from argosy.durable.times import DatabaseClock
from argosy.guest import authority
from argosy.settings import Settings
from argosy.testing import databases
from argosy.testing.databases import Server
from argosy.testing.fakes import Cloud, FakeGuests, FakeProvider
from argosy.testing.waiting import eventually
from argosy.workflows.registry import WORKFLOWS
from argosy.workflows.world import World

FORMER = "0001"
ID, PROJECT = "6f1c8a52-0b0e-4f5e-9c3d-1f2e3d4c5b6a", "p" * 32
SPECIAL: dict[str, dict[str, Any]] = {
    "instances": {"id": ID, "task": "REBOOTING", "name": "Größe", "flavor_id": "1", "tls_mode": "enforced"},
    "guests": {"id": ID, "agent": "0.1.0", "health": "healthy", "metrics": {"connections": 3.0}},
    "endpoints": {"id": "e", "instance_id": ID, "host": "127.9.0.1", "port": 5432, "names": []},
    "datastores": {"id": "d", "name": "postgresql", "engine": "postgresql", "default_version_id": "v"},
    "datastore_versions": {"id": "v", "datastore_id": "d", "name": "15", "number": "15.18", "capabilities": []},
    "locks": {"subject": ID, "holder": "", "run_id": "r"},
    "lock_guards": {"subject": ID},
    "commands": {"id": f"r/server/restart/{ID}", "guest_id": ID, "run_id": "r", "verb": "restart", "answered": False},
    "run_steps": {"run_id": "r", "name": "server", "state": "waiting", "position": 0},
    "facts": {"name": "room", "value": {}},
    "runs": {
        "id": "r", "workflow": "restart_instance", "subject": ID, "state": "active", "step": "server",
        "cancelled": False, "worker": None, "wake_at": 0.0, "lease_until": 0.0, "deadline_at": 0.0, "memory": {},
        "ended": None, "attempt": 0, "lost": 0, "position": 0, "fault": "",
    },
}  # fmt: skip
"""What the rows say where it matters; the rest is filled in by type."""


@pytest.fixture(scope="module", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(tmp_path)
    sealed.make(settings.keys / "master.key")
    sealed.use(settings.keys / "master.key")
    authority.make(settings.keys)
    return settings


@pytest.fixture
def former(server: Server, settings: Settings, tmp_path: Path) -> Iterator[Database]:  # noqa: ARG001 - has the key used
    """Written by the release before, on this kind of server."""
    file = tmp_path / "former.db"
    written = Database(f"sqlite:///{file}")
    migrate.upgrade(written, FORMER)
    _fill(written)
    written.engine.dispose()
    with server.empty() as database:
        copying.load(file, database)
        yield database


def _fill(database: Database) -> None:
    found = MetaData()
    found.reflect(database.engine)
    with database.engine.execution_options(writes=True).begin() as connection:
        for table in found.sorted_tables:
            if table.name != "alembic_version":
                row = {column.name: _value(column) for column in table.columns} | SPECIAL.get(table.name, {})
                sealed_ones = [each.name for each in table.columns if isinstance(each.type, LargeBinary)]
                row |= {name: sealed.seal(row[name]) for name in sealed_ones if row[name] is not None}
                connection.execute(insert(table), [row])


def _value(column: Any) -> Any:
    generic = column.type.as_generic()
    if isinstance(generic, JSON):
        return {} if column.name in {"value", "metrics"} else []
    if isinstance(generic, LargeBinary):
        return {"password": "s€cret"}
    kind = generic.python_type
    if kind is str:
        return {"project_id": PROJECT, "version_id": "v"}.get(column.name, f"a {column.name}"[:12])
    if kind is float:
        return None if column.nullable else clock.now()
    return False if kind is bool else 1


def test_every_row_of_every_table_is_there_and_readable(former: Database) -> None:
    before = _counts(former)
    assert all(before.values()), before
    migrate.upgrade(former)
    after = _counts(former)
    assert {name: after[name] for name in before} == before
    with former.read() as session:
        for mapper in Table.registry.mappers:
            session.scalars(select(mapper.class_)).all()
        command = session.scalars(select(Command)).one()
        instance = session.get_one(Instance, ID)
        version = session.get_one(DatastoreVersion, "v")
        assert command.arguments == {"password": "s€cret"}
        assert (instance.name, instance.wanted, instance.tags) == ("Größe", "running", {})
        assert (version.withdrawn, version.image_tags) == (False, [])


def test_an_operation_in_flight_is_carried_to_its_end(former: Database, settings: Settings) -> None:
    migrate.upgrade(former)
    cloud, now = Cloud(volumes={ID: 1}, ports={ID: "127.9.0.1"}), DatabaseClock(former)
    leases = Leases(former, workers.register(former, now), now)
    runner, guests = Runner(former, WORKFLOWS, World(settings, FakeProvider(cloud)), now, leases), FakeGuests(former)

    def ended() -> bool:
        runner.run_once()
        guests.answer_all()
        with former.read() as session:
            run = session.get_one(Run, "r")
            assert run.state != "active", (run.step, run.note)
            assert run.state == "done", run.fault
            return True

    eventually(ended, within=30)
    with former.read() as session:
        assert session.get_one(Instance, ID).task == "NONE"
        assert session.get_one(Guest, ID).agent == "0.1.0"
        assert "done" in session.scalars(select(RunStep.state)).all()


def _counts(database: Database) -> dict[str, int]:
    found = MetaData()
    found.reflect(database.engine)
    with database.engine.connect() as connection:
        counted = {name: select(func.count()).select_from(table) for name, table in found.tables.items()}
        return {name: connection.scalar(each) or 0 for name, each in counted.items()}
