"""Create an instance: from the request to the moment a client can connect."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import quotas, tags
from argosy.db.tables import Instance, Module, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.engines.accounts import Database, User
from argosy.engines.base import Capability
from argosy.guest import enrolment
from argosy.model.caller import Caller
from argosy.model.guest import Secret, TlsMode
from argosy.model.status import Task
from argosy.providers.base import Feature, Port, Source, State
from argosy.settings import Settings
from argosy.workflows import (
    begin_archive,
    build_template,
    change_modules,
    module_rows,
    offers,
    overrides,
    ports,
    restoring,
    servers,
    starting,
)
from argosy.workflows.restoring import Restore
from argosy.workflows.world import World

create_instance: Workflow[World] = Workflow("create_instance", cancellable=True, event="instance_create")


@dataclass(frozen=True)
class NewInstance:
    """What somebody asks for, checked for shape by the API."""

    name: str
    flavor_id: str
    gigabytes: int
    version_id: str
    region: str
    databases: tuple[Database, ...] = ()
    users: tuple[User, ...] = ()
    nics: tuple[dict[str, Any], ...] = ()
    availability_zone: str | None = None
    access: dict[str, Any] | None = None
    volume_type: str | None = None
    tls_mode: str | None = None
    locality: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    client_token: str | None = None
    client_digest: str | None = None
    configuration_id: str | None = None
    modules: tuple[Module, ...] = ()
    protected: bool = False
    ends_at: float | None = None
    """made to look at until then; None: it stays"""
    restore: Restore | None = None
    """None: its data begin empty"""
    recovery: bool = False
    """whether its log is archived from the first, whatever the deployment does by itself"""
    keep_days: float | None = None
    """how far back; None: as the deployment has it"""


@dataclass(frozen=True)
class Admitted:
    instance: Instance
    password: Secret | None
    """of the master user, when the request brought no user of its own; told once, kept nowhere in the clear"""


def admit(session: Session, settings: Settings, caller: Caller, request: NewInstance) -> Admitted:
    """Check the request and write it down; nothing is built yet. Raises BadRequest, OverQuota, NotSupported."""
    offer = offers.get(session, request.version_id)
    offers.require_flavor(session, offer.version, request.flavor_id)
    if request.databases:
        offer.engine.require(Capability.DATABASES)
    instance = _instance(settings, caller, request, offer)
    restored = restoring.admit(session, caller, instance, request.restore) if request.restore else None
    instance.restored_from = dict(restored.described) if restored else None
    quotas.reserve(session, settings, caller.project_id, instances=1, volumes=instance.gigabytes, ram=instance.ram)
    session.add(instance)
    overrides.require_room(session, instance)
    if request.recovery:
        begin_archive.enable(session, settings.backups.log_keep_days, instance, request.keep_days)
    tags.put(session, instance, request.tags)
    told = None if request.users else Secret.generate()
    _expect_modules(session, instance, request)
    accounts = _accounts(request, told or Secret.generate())
    restore = dataclasses.asdict(request.restore) if request.restore else None
    queue.enqueue(
        session,
        create_instance,
        instance.id,
        shared=[each.id for each in restored.chain] if restored else [],
        project_id=caller.project_id,
        accounts=accounts,
        restore=restore,
    )
    return Admitted(instance, told)


def _expect_modules(session: Session, instance: Instance, request: NewInstance) -> None:
    """Raises BadRequest for one that is for another datastore."""
    wanted = {each.id: each for each in (*module_rows.automatic(session, instance), *request.modules)}
    module_rows.require_fitting(session, instance, list(wanted.values()))
    module_rows.expect(session, instance, list(wanted.values()))


def _instance(settings: Settings, caller: Caller, request: NewInstance, offer: offers.Offer) -> Instance:
    flavor = settings.flavor(request.flavor_id)
    if flavor.ram < offer.engine.smallest_ram:
        raise errors.BadRequest(
            f"flavor {flavor.id} has {flavor.ram} MiB of memory and {offer.engine.title} needs"
            f" {offer.engine.smallest_ram}: choose a larger one"
        )
    now = clock.now()
    return Instance(
        id=str(uuid.uuid4()),
        project_id=caller.project_id,
        name=request.name,
        version_id=request.version_id,
        flavor_id=flavor.id,
        ram=flavor.ram,
        gigabytes=request.gigabytes,
        volume_type=request.volume_type,
        task=Task.BUILDING,
        generation=1,
        tls_mode=_tls_mode(settings, request, offer),
        availability_zone=request.availability_zone,
        region=request.region,
        nics=list(request.nics),
        access=request.access,
        locality=request.locality,
        configuration_id=request.configuration_id,
        protected=request.protected,
        ends_at=request.ends_at,
        client_token=request.client_token,
        client_digest=request.client_digest,
        created=now,
        updated=now,
    )


def _tls_mode(settings: Settings, request: NewInstance, offer: offers.Offer) -> TlsMode:
    """As asked for, or as the deployment has it. A build without TLS speaks none. Raises NotSupported."""
    if Capability.TLS in offer.version.capabilities:
        return TlsMode(request.tls_mode or settings.tls.default_mode)
    if request.tls_mode not in (None, TlsMode.OFF):
        raise errors.NotSupported(
            f"this build of {offer.engine.title} speaks no TLS: choose another version or mode off"
        )
    return TlsMode.OFF


def _accounts(request: NewInstance, master: Secret) -> dict[str, Any]:
    """Arguments of the guest's `prepare`. Rests sealed, in the run's memory and in the command."""
    users = [{**dataclasses.asdict(user), "password": user.password.value} for user in request.users]
    databases = [dataclasses.asdict(database) for database in request.databases]
    return {"master": master.value, "users": users, "databases": databases}


@create_instance.step(minutes=15)
def template(ctx: Context[World]) -> Outcome:
    """A template of this exact version makes the volume in milliseconds; the first one has to be built."""
    with ctx.database.read() as session:
        offer = offers.get(session, session.get_one(Instance, ctx.subject).version_id)
    if Feature.TEMPLATE not in ctx.world.provider.features or ctx.memory.get("restore"):
        return None
    return build_template.require(ctx, offer)


@create_instance.step()
def volume(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        instance = session.get_one(Instance, ctx.subject)
        offer = offers.get(session, instance.version_id)
    provider = ctx.world.provider
    made = provider.volumes.ensure(instance.id, instance.gigabytes, _source(ctx, offer))
    if made.state is State.FAILED:
        raise errors.CloudFailed(made.fault)
    return Wait(1, "the volume is being made") if made.state is State.BUILDING else None


def _source(ctx: Context[World], offer: offers.Offer) -> Source:
    if ctx.memory.get("restore"):
        return restoring.source(ctx)
    return Source(template=offer.template if Feature.TEMPLATE in ctx.world.provider.features else "")


@create_instance.step()
def network(ctx: Context[World]) -> Outcome:
    port = ports.ensure(ctx)
    outcome = ports.waiting(port)
    if outcome is None:
        ctx.record(lambda session: _expect(session, ctx.subject, port))
    return outcome


def _expect(session: Session, instance_id: str, port: Port) -> None:
    enrolment.expect(session, instance_id, session.get_one(Instance, instance_id).generation)
    ports.write(session, instance_id, port)


@create_instance.step()
def server(ctx: Context[World]) -> Outcome:
    return servers.begin(ctx)


@create_instance.step(minutes=restoring.LONGEST_MINUTES)
def data(ctx: Context[World]) -> Outcome:
    """Those of a backup, where it begins with some; its server is then up, with its accounts."""
    return restoring.load(ctx) if ctx.memory.get("restore") else None


@create_instance.step(minutes=15)
def guest(ctx: Context[World]) -> Outcome:
    """The server is given an identity of its own, started, and its accounts are made."""
    if ctx.memory.get("restore"):
        return None
    servers.check(ctx)
    return starting.ask(ctx, "prepare", "the database server is starting", **ctx.memory["accounts"])


@create_instance.step()
def modules(ctx: Context[World]) -> Outcome:
    """Those that were asked for, and those that every instance is given. One that cannot be applied says so itself."""
    return change_modules.give(ctx)


@create_instance.step()
def ready(ctx: Context[World]) -> Outcome:
    starting.settle(ctx)
    return None


@create_instance.on_failure
def failed(session: Session, run: Run, fault: str) -> None:
    """What was built stays, under the instance's name, until delete_instance removes it."""
    servers.blame(session, run, fault, task=Task.ERROR)
