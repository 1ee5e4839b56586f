"""Control databases with so many instances, and so many rows of everything beside them. Not a benchmark itself.

Half a deployment's life in rows: of `size` instances all but those of a quota belong to one project, each with guest,
endpoint, certificate, tags, modules, logs, operations and ten events; as many backups and schedules, a tenth as many
configurations.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from argosy import clock, settings
from argosy.db import quotas, sealed
from argosy.db.session import Database
from argosy.db.tables import (
    Account,
    Backup,
    BackupSchedule,
    BackupStrategy,
    Certificate,
    Configuration,
    Counter,
    Datastore,
    DatastoreVersion,
    Endpoint,
    Event,
    Fact,
    Guest,
    GuestLog,
    Instance,
    InstanceModule,
    InstanceTag,
    LogObject,
    Module,
    Parameter,
    Project,
    Quota,
    QuotaUse,
    RoleAssignment,
    Run,
    RunStep,
    Table,
    VersionFlavor,
    Webhook,
)
from argosy.guest import authority
from argosy.identity.local import tokens
from argosy.model import metrics
from argosy.model.events import CATALOGUE
from argosy.stores import deployment

PROJECT, BESIDE = "bench", "beside"
"""Who has nearly everything, and who has as much as the shipped quota allows."""
QUOTA = settings.Limits().instances
EVENTS, OPERATIONS, STEPS = 10, 3, 4
"""of each instance; of each; of each operation"""
PROJECTS = 50
WEBHOOKS = settings.Webhooks().per_project
LOG, OBJECT, CONTAINER = "slow_query", "log-0", "database_logs"
PARAMETER = "max_connections"

Row = dict[str, Any]
Rows = Iterator[tuple[type[Table], list[Row]]]


@dataclass(frozen=True)
class Seeded:
    """Names to ask for, tokens to ask with."""

    nouns: Mapping[str, str]
    """what stands in a path after these segments: `instances` -> an instance's id"""
    tokens: Mapping[str, str]
    """of a `member` and an `admin` of PROJECT, and of a `beside`: a member of BESIDE"""


@dataclass(frozen=True)
class Ids:
    """In the order of pages. Names of rows that many others point to."""

    instances: list[str]
    beside: list[str]
    modules: list[str]
    configurations: list[str]
    version: str
    datastore: str
    now: float

    @property
    def all(self) -> list[str]:
        return [*self.instances, *self.beside]

    def project(self, number: int) -> str:
        """Of the instance of this number in `all`."""
        return PROJECT if number < len(self.instances) else BESIDE


def fill(database: Database, state: Path, size: int) -> Seeded:
    """So many instances and what belongs to them; the bystanders come on top, so that they are alike in every size."""
    ids = _ids(size)
    sealed.use(state / "keys" / "master.key")
    authority.make(state / "keys")
    with database.write() as session:
        for table, rows in _everything(ids, _certificate(state)):
            session.execute(insert(table), rows)
    with database.write() as session:
        bearers = {who: _token(session, *_bearer(who)) for who in ("member", "admin", "beside")}
    middle = ids.instances[size // 2]
    with deployment.store(settings.load(state, {})).create(_place(middle) + OBJECT) as out:
        out.write(b"duration: 1007.1 ms  statement: SELECT 1\n" * 1000)
    return Seeded(_nouns(ids, middle), bearers)


def _ids(size: int) -> Ids:
    return Ids(
        *(_uuids(many) for many in (size, QUOTA, max(10, size // 100), size // 10)),
        version=str(uuid.uuid4()),
        datastore=str(uuid.uuid4()),
        now=clock.now(),
    )


def _uuids(many: int) -> list[str]:
    return sorted(str(uuid.uuid4()) for _ in range(many))


def _nouns(ids: Ids, middle: str) -> Mapping[str, str]:
    return {
        "v1.0": PROJECT,
        "instances": middle,
        "backups": middle,
        "backup_schedules": middle,
        "configurations": ids.configurations[0],
        "modules": ids.modules[0],
        "webhooks": middle,
        "datastores": ids.datastore,
        "versions": ids.version,
        "datastore-versions": ids.version,
        "flavors": "1",
        "volume-types": "local",
        "parameters": PARAMETER,
        "quotas": PROJECT,
        "databases": "d1",
        "log": LOG,
        "objects": OBJECT,
        "clusters": middle,
    }


def _bearer(who: str) -> tuple[str, str]:
    """Project and role."""
    return (BESIDE, "member") if who == "beside" else (PROJECT, who)


def _token(session: Any, project: str, role: str) -> str:
    ref = tokens.Ref(project, project)
    return tokens.issue(session, tokens.Grant(ref, ref, (role,), ("password",), clock.now() + 86_400))[0]


def _certificate(state: Path) -> str:
    """One for all: what is measured is reading."""
    return authority.load(state / "keys").issue(["127.1.2.3"], 825).certificate


def _everything(ids: Ids, certificate: str) -> Rows:
    yield from _identity()
    yield from _offers(ids)
    yield from _projects(ids)
    yield from _instances(ids, certificate)
    yield from _belongings(ids)
    yield from _history(ids)


def _identity() -> Rows:
    names = [PROJECT, BESIDE]
    yield Project, [{"id": name, "name": name} for name in names]
    yield Account, [{"id": name, "name": name} for name in names]
    roles = [(PROJECT, "member"), (PROJECT, "admin"), (BESIDE, "member")]
    yield RoleAssignment, [{"account_id": name, "project_id": name, "role": role} for name, role in roles]


def _offers(ids: Ids) -> Rows:
    """Two datastores; nearly everything is of the first."""
    other = [str(uuid.uuid4()) for _ in range(2)]
    yield (
        Datastore,
        [
            {"id": ids.datastore, "name": "postgresql", "engine": "postgresql", "default_version_id": ids.version},
            {"id": other[0], "name": "redis", "engine": "redis", "default_version_id": other[1]},
        ],
    )
    able = ["tls", "accounts", "databases"]
    yield (
        DatastoreVersion,
        [
            {"id": ids.version, "datastore_id": ids.datastore, "name": "15", "number": "15.18", "capabilities": able},
            {"id": other[1], "datastore_id": other[0], "name": "7.0", "number": "7.0.15", "capabilities": able},
        ],
    )
    yield VersionFlavor, [{"version_id": ids.version, "flavor_id": each} for each in ("1", "2", "3")]
    yield Parameter, [{"version_id": ids.version, "name": PARAMETER, "baseline": 100}]
    yield Fact, [{"name": "provider", "value": {"name": "local", "features": ["sized volumes", "sandbox"]}}]


def _projects(ids: Ids) -> Rows:
    """What projects hold and may; the webhooks of the one, and where its backups go."""
    held = [PROJECT, BESIDE, *(f"p{number}" for number in range(PROJECTS))]
    pairs = [{"project_id": each, "resource": name} for each in held for name in quotas.RESOURCES]
    yield QuotaUse, [{**each, "used": 7} for each in pairs]
    yield Quota, [{**each, "hard_limit": 100_000} for each in pairs]
    hook = {"url": "https://example.org/told", "secret": "s", "created": ids.now, "updated": ids.now}
    hook["position"] = len(ids.all) * EVENTS
    hooks = [ids.instances[len(ids.instances) // 2], *_uuids(WEBHOOKS - 1)]
    yield Webhook, [{"id": each, "project_id": PROJECT, **hook} for each in hooks]
    yield (
        BackupStrategy,
        [{"project_id": PROJECT, "instance_id": each, "container": "b"} for each in ("", *ids.instances[:20])],
    )


def _instances(ids: Ids, certificate: str) -> Rows:
    placed = {"version_id": ids.version, "flavor_id": "1", "region": "RegionOne", "ram": 256, "gigabytes": 1}
    rows = [
        {
            "id": each,
            "project_id": ids.project(age),
            "name": f"m{age}",
            "created": ids.now - age,
            "updated": ids.now - age,
            "configuration_id": ids.configurations[age % len(ids.configurations)],
            "tags": _tags(age),
            **placed,
        }
        for age, each in enumerate(ids.all)
    ]
    yield Instance, rows
    told = dict.fromkeys(metrics.REPORTED, 12345.0)
    claim = {"generation": 1, "health": "healthy", "seen_at": ids.now, "metrics": told}
    claim |= {"volume_used": 2**29, "volume_total": 2**30}
    yield Guest, [{"id": each, **claim} for each in ids.all]
    endpoint = {"role": "writer", "host": "127.1.2.3", "port": 5432}
    yield Endpoint, [{"id": str(uuid.uuid4()), "instance_id": each, **endpoint} for each in ids.all]
    yield Certificate, [{"instance_id": each, "shown": certificate, "updated": ids.now} for each in ids.all]


def _tags(age: int) -> dict[str, str]:
    return {"stage": "test" if age % 2 else "production", "team": f"t{age % 10}"}


def _belongings(ids: Ids) -> Rows:
    """What instances were given by their owners."""
    at = {"created": ids.now, "updated": ids.now}
    pairs = [
        (number, each, name, value) for number, each in enumerate(ids.all) for name, value in _tags(number).items()
    ]
    yield (
        InstanceTag,
        [
            {"instance_id": each, "project_id": ids.project(number), "name": name, "value": value}
            for number, each, name, value in pairs
        ],
    )
    kind = {"type": "ping", "contents": "bWVzc2FnZT1I" * 400, "md5": "0" * 32, "project_id": PROJECT}
    yield Module, [{"id": each, "name": f"module {each}", **kind, **at} for each in ids.modules]
    given = {"md5": "0" * 32, "status": "OK", **at}
    # The first module is everywhere, as one of a whole company is; one more comes with each instance.
    applied = [(each, {ids.modules[0], ids.modules[number % len(ids.modules)]}) for number, each in enumerate(ids.all)]
    yield (
        InstanceModule,
        [{"instance_id": each, "module_id": module, **given} for each, modules in applied for module in modules],
    )
    group = {"project_id": PROJECT, "version_id": ids.version, "settings": {PARAMETER: 100, "work_mem": "8MB"}, **at}
    yield Configuration, [{"id": each, "name": f"group {each}", **group} for each in ids.configurations]
    yield from _kept(ids, at)


def _kept(ids: Ids, at: Row) -> Rows:
    """Backups, when they are due, and published logs."""
    backup = {"version_id": ids.version, "state": "COMPLETED", "size": 0.4, "location": "http://store/x", **at}
    yield (
        Backup,
        [
            {"id": each, "instance_id": each, "project_id": ids.project(number), "name": f"b{number}", **backup}
            for number, each in enumerate(ids.all)
        ],
    )
    nightly = {"name": "nightly", "cron": "30 2 * * *", "retention": {"daily": 7}, "next_at": ids.now + 3600, **at}
    yield (
        BackupSchedule,
        [
            {"id": each, "instance_id": each, "project_id": ids.project(number), "missed": 0, **nightly}
            for number, each in enumerate(ids.all)
        ],
    )
    log = {"name": LOG, "enabled": True, "container": CONTAINER, "updated": ids.now}
    yield GuestLog, [{"instance_id": each, **log} for each in ids.all]
    part = {"log": LOG, "name": OBJECT, "bytes": 42_000, "lines": 1000, "created": ids.now}
    yield LogObject, [{"instance_id": each, "place": _place(each), **part} for each in ids.all]


def _place(instance: str) -> str:
    return f"{CONTAINER}/{instance}/postgresql-{LOG}/"


def _history(ids: Ids) -> Rows:
    """Operations with their steps, and events."""
    at = {"created": ids.now, "ended": ids.now + 1}
    run = {"workflow": "restart_instance", "state": "done", "step": "tell", "memory": {}, "wake_at": 0.0, **at}
    runs = [(str(uuid.uuid4()), each) for each in ids.all for _ in range(OPERATIONS)]
    yield Run, [{"id": name, "subject": each, "project_id": PROJECT, **run} for name, each in runs]
    step = {"name": "step", "state": "done", "started": ids.now, "ended": ids.now + 1, "attempts": 1}
    yield RunStep, [{"run_id": name, "position": position, **step} for name, _ in runs for position in range(STEPS)]
    told = [(number, each) for _ in range(EVENTS) for number, each in enumerate(ids.all)]
    event = {
        "at": ids.now,
        "actor": PROJECT,
        "payload": {"instance_name": "m", "volume_size": 1, "region": "RegionOne"},
    }
    kinds = sorted(CATALOGUE)
    yield (
        Event,
        [
            {
                "seq": seq,
                "id": str(uuid.uuid4()),
                "kind": kinds[seq % len(kinds)],
                "project_id": ids.project(number),
                "instance_id": each,
                "subject": each,
                **event,
            }
            for seq, (number, each) in enumerate(told, 1)
        ],
    )
    yield Counter, [{"name": "events", "value": len(told)}]
