"""Every table. Times are UTC seconds since the epoch (double), ids are uuids as text."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.compiler import DDLCompiler

from argosy.db.sealed import Sealed

Id = String(36)
Name = String(255)
Body = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class Table(DeclarativeBase):
    pass


@compiles(CreateTable, "mysql", "mariadb")
def _in_unicode(create: CreateTable, compiler: DDLCompiler, **options: Any) -> str:
    """Every name can be kept, and is compared letter by letter as elsewhere, whatever the server's default is."""
    statement: str = compiler.visit_create_table(create, **options)  # type: ignore[no-untyped-call] # SQLAlchemy's
    return statement.rstrip() + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin\n"


# --- what users see ---------------------------------------------------------------------------------------------


class Instance(Table):
    """A database that somebody asked for. Its status is derived (model/status.py), never stored."""

    __tablename__ = "instances"
    __table_args__ = (Index("instances_page", "project_id", "deleted", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(Name)
    version_id: Mapped[str] = mapped_column(Id)
    flavor_id: Mapped[str] = mapped_column(Name)
    ram: Mapped[int] = mapped_column(Integer)
    """MiB, as the flavor said at the time: quota is given back as it was taken"""
    gigabytes: Mapped[int] = mapped_column(Integer)
    volume_type: Mapped[str | None] = mapped_column(Name)
    task: Mapped[str] = mapped_column(String(32), default="NONE")
    """model.status.Task"""
    generation: Mapped[int] = mapped_column(Integer, default=1)
    tls_mode: Mapped[str] = mapped_column(String(16), default="enforced")
    availability_zone: Mapped[str | None] = mapped_column(Name)
    region: Mapped[str] = mapped_column(Name)
    nics: Mapped[list[Any]] = mapped_column(JSON, default=list)
    access: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    fault: Mapped[str | None] = mapped_column(Body)
    fault_details: Mapped[str | None] = mapped_column(Body)
    """for admins only"""
    fault_at: Mapped[float | None] = mapped_column(Double)
    created: Mapped[float] = mapped_column(Double)
    updated: Mapped[float] = mapped_column(Double)
    deleted: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[float | None] = mapped_column(Double)
    quota_held: Mapped[bool] = mapped_column(default=True)
    """false once its quota was given back: a delete that is repeated gives nothing back twice"""
    master_told: Mapped[bool] = mapped_column(default=False)
    """somebody was told a password of the master user: Trove's rootEnabled"""


class Endpoint(Table):
    """Where clients connect: a row of its own, because it moves between servers."""

    __tablename__ = "endpoints"
    __table_args__ = (UniqueConstraint("instance_id", "role"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    instance_id: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(16))
    """writer, reader or direct"""
    host: Mapped[str] = mapped_column(Name)
    port: Mapped[int] = mapped_column(Integer)
    network: Mapped[str] = mapped_column(Id, default="")
    names: Mapped[list[str]] = mapped_column(JSON, default=list)
    """what the certificate names"""
    certificate_until: Mapped[float | None] = mapped_column(Double)
    """when the certificate that was issued last ends to be good"""


class Datastore(Table):
    __tablename__ = "datastores"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    engine: Mapped[str] = mapped_column(String(64))
    default_version_id: Mapped[str | None] = mapped_column(Id)


class DatastoreVersion(Table):
    """One exact version on offer, and what its build can do."""

    __tablename__ = "datastore_versions"
    __table_args__ = (UniqueConstraint("datastore_id", "name"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    datastore_id: Mapped[str] = mapped_column(Id)
    name: Mapped[str] = mapped_column(Name)
    number: Mapped[str] = mapped_column(String(64))
    """the exact version: names the engine root and the template"""
    capabilities: Mapped[list[str]] = mapped_column(JSON, default=list)
    note: Mapped[str] = mapped_column(Name, default="")
    active: Mapped[bool] = mapped_column(default=True)


class Quota(Table):
    """A project's own limit, where it differs from the settings."""

    __tablename__ = "quotas"

    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(32), primary_key=True)
    hard_limit: Mapped[int] = mapped_column(Integer)


class QuotaUse(Table):
    """What a project holds. Changed by one conditional update in the transaction that makes or frees it."""

    __tablename__ = "quota_uses"

    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource: Mapped[str] = mapped_column(String(32), primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger, default=0)


# --- guests -----------------------------------------------------------------------------------------------------


class Guest(Table):
    """The agent of one instance: what it proved and what it last claimed."""

    __tablename__ = "guests"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    """the instance's uuid"""
    generation: Mapped[int] = mapped_column(Integer)
    credential: Mapped[str | None] = mapped_column(String(64))
    """SHA-256 of the secret, hex; the next one while it is being rotated stands in `next_credential`"""
    next_credential: Mapped[str | None] = mapped_column(String(64))
    confirmed: Mapped[bool] = mapped_column(default=False)
    """the credential has been used: the one-time token is worth nothing any more"""
    agent: Mapped[str] = mapped_column(String(64), default="")
    protocol: Mapped[int] = mapped_column(Integer, default=0)
    boot: Mapped[str] = mapped_column(String(64), default="")
    seq: Mapped[int] = mapped_column(BigInteger, default=0)
    connected: Mapped[bool] = mapped_column(default=False)
    health: Mapped[str] = mapped_column(String(16), default="unknown")
    message: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[str] = mapped_column(String(64), default="")
    volume_used: Mapped[int] = mapped_column(BigInteger, default=0)
    volume_total: Mapped[int] = mapped_column(BigInteger, default=0)
    metrics: Mapped[dict[str, float]] = mapped_column(JSON, default=dict)
    seen_at: Mapped[float | None] = mapped_column(Double)
    health_at: Mapped[float | None] = mapped_column(Double)
    """when health last changed"""


class Command(Table):
    """Something a guest is to do. The id is run/step/verb/guest, so asking again finds the same command."""

    __tablename__ = "commands"
    __table_args__ = (Index("commands_pending", "answered", "guest_id"),)

    id: Mapped[str] = mapped_column(String(190), primary_key=True)
    guest_id: Mapped[str] = mapped_column(Id)
    run_id: Mapped[str | None] = mapped_column(Id)
    """the run that its answer wakes"""
    verb: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    """emptied with the answer"""
    term: Mapped[int] = mapped_column(BigInteger, default=0)
    answered: Mapped[bool] = mapped_column(default=False)
    cancelled: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None] = mapped_column(Sealed)
    error: Mapped[str] = mapped_column(Body, default="")
    error_kind: Mapped[str] = mapped_column(String(16), default="")
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(String(16), default="")
    created: Mapped[float] = mapped_column(Double)


# --- the machine that runs workflows -------------------------------------------------------------------------------


class Run(Table):
    """One operation under way, or its record afterwards."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_due", "state", "wake_at", "created"), Index("runs_subject", "subject", "created"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    workflow: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    subject: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(16), default="active")
    """active, done, failed or cancelled"""
    step: Mapped[str] = mapped_column(String(64))
    position: Mapped[int] = mapped_column(Integer, default=0)
    """of the step in the recorded timeline (RunStep)"""
    memory: Mapped[dict[str, Any]] = mapped_column(Sealed)
    """small; what only this run needs, secrets among it; emptied when the run ends"""
    note: Mapped[str] = mapped_column(Body, default="")
    """what it waits for, or the last error, for people"""
    fault: Mapped[str] = mapped_column(Body, default="")
    cancelled: Mapped[bool] = mapped_column(default=False)
    urgency: Mapped[int] = mapped_column(Integer, default=0)
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    """raised by each claim: the fence of every write"""
    worker: Mapped[str | None] = mapped_column(Id)
    lease_until: Mapped[float] = mapped_column(Double, default=0.0)
    wake_at: Mapped[float] = mapped_column(Double)
    wake_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    """raised by each signal: a suspend that lost the race stays awake"""
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    """claims of this step since it last answered"""
    lost: Mapped[int] = mapped_column(Integer, default=0)
    """claims in a row of which nothing was heard: their worker died"""
    deadline_at: Mapped[float] = mapped_column(Double, default=0.0)
    """0 until the first claim"""
    created: Mapped[float] = mapped_column(Double)
    ended: Mapped[float | None] = mapped_column(Double)


class RunStep(Table):
    """The recorded timeline of a run: one row per step entered."""

    __tablename__ = "run_steps"

    run_id: Mapped[str] = mapped_column(Id, primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    """running, waiting, done or failed"""
    started: Mapped[float] = mapped_column(Double)
    ended: Mapped[float | None] = mapped_column(Double)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    note: Mapped[str] = mapped_column(Body, default="")
    error: Mapped[str] = mapped_column(Body, default="")


class Lock(Table):
    """A subject that a run holds. Exclusive: holder is "". Shared: holder is the run's id, and so many rows may stand.

    The primary key keeps two exclusive holders apart; shared against exclusive is kept by a guard row (LockGuard)
    that every taker updates first.
    """

    __tablename__ = "locks"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(Id, primary_key=True, default="")
    run_id: Mapped[str] = mapped_column(Id, index=True)


class LockGuard(Table):
    """One row per subject, updated before its locks are looked at: takers of one subject come one after another."""

    __tablename__ = "lock_guards"

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    touched: Mapped[int] = mapped_column(BigInteger, default=0)


class Worker(Table):
    """A process that runs workflows."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    host: Mapped[str] = mapped_column(Name)
    boot_id: Mapped[str] = mapped_column(Id)
    pid: Mapped[int] = mapped_column(Integer)
    started: Mapped[int] = mapped_column(BigInteger)
    """start time in clock ticks since boot (proc(5), field 22): tells a pid's second owner from its first"""
    seen_at: Mapped[float] = mapped_column(Double)


class Timer(Table):
    """Something that recurs: whoever moves `due_at` on, enqueues it."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[float] = mapped_column(Double)


class Fact(Table):
    """What one process knows and others must tell: the provider's name, level and features, by name."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


# --- identity `local` ----------------------------------------------------------------------------------------------


class Project(Table):
    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)


class Account(Table):
    """A user of Argosy (not of a database)."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    password: Mapped[str | None] = mapped_column(String(255))
    """argon2id, encoded"""
    default_project_id: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(Name, default="")
    description: Mapped[str] = mapped_column(Text, default="")
    enabled: Mapped[bool] = mapped_column(default=True)


class RoleAssignment(Table):
    __tablename__ = "role_assignments"

    account_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)


class ApplicationCredential(Table):
    __tablename__ = "application_credentials"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Name)
    account_id: Mapped[str] = mapped_column(String(64))
    project_id: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the random secret, hex"""
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    description: Mapped[str] = mapped_column(Text, default="")
    expires: Mapped[float | None] = mapped_column(Double)


class Token(Table):
    __tablename__ = "tokens"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of the token, hex: a copy of this table opens nothing"""
    account_id: Mapped[str] = mapped_column(String(64), index=True)
    project_id: Mapped[str | None] = mapped_column(String(64))
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    methods: Mapped[list[str]] = mapped_column(JSON, default=list)
    audit_id: Mapped[str] = mapped_column(String(64))
    application_credential_id: Mapped[str | None] = mapped_column(String(64), index=True)
    """the application credential it was issued for: it dies with it"""
    issued: Mapped[float] = mapped_column(Double)
    expires: Mapped[float] = mapped_column(Double, index=True)


class LoginFailure(Table):
    """Failed logins of one user in one minute."""

    __tablename__ = "login_failures"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    """SHA-256 of who tried, hex: people type passwords where names belong"""
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, default=0)
