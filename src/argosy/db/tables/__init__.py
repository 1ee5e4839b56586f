"""Every table. Times are UTC seconds since the epoch (double), ids are uuids as text."""

from __future__ import annotations

from argosy.db.tables.archives import Archive, ArchiveFile, ArchiveStream
from argosy.db.tables.backups import (
    Backup,
    BackupSchedule,
    BackupStrategy,
    Drill,
    KeyFromElsewhere,
    ProjectKey,
    Snapshot,
    Undo,
)
from argosy.db.tables.base import Table
from argosy.db.tables.certificates import Certificate
from argosy.db.tables.configurations import Configuration, Parameter
from argosy.db.tables.datastores import Datastore, DatastoreVersion, VersionFlavor
from argosy.db.tables.events import Counter, Event, Webhook
from argosy.db.tables.guests import Command, Guest
from argosy.db.tables.identity import Account, ApplicationCredential, LoginFailure, Project, RoleAssignment, Token
from argosy.db.tables.instances import Endpoint, Instance, InstanceTag
from argosy.db.tables.logs import GuestLog, LogObject
from argosy.db.tables.modules import InstanceModule, Module
from argosy.db.tables.quotas import Quota, QuotaUse
from argosy.db.tables.runs import Fact, Lock, LockGuard, Run, RunStep, Timer, Worker

__all__ = [
    "Account",
    "ApplicationCredential",
    "Archive",
    "ArchiveFile",
    "ArchiveStream",
    "Backup",
    "BackupSchedule",
    "BackupStrategy",
    "Certificate",
    "Command",
    "Configuration",
    "Counter",
    "Datastore",
    "DatastoreVersion",
    "Drill",
    "Endpoint",
    "Event",
    "Fact",
    "Guest",
    "GuestLog",
    "Instance",
    "InstanceModule",
    "InstanceTag",
    "KeyFromElsewhere",
    "Lock",
    "LockGuard",
    "LogObject",
    "LoginFailure",
    "Module",
    "Parameter",
    "Project",
    "ProjectKey",
    "Quota",
    "QuotaUse",
    "RoleAssignment",
    "Run",
    "RunStep",
    "Snapshot",
    "Table",
    "Timer",
    "Token",
    "Undo",
    "VersionFlavor",
    "Webhook",
    "Worker",
]
