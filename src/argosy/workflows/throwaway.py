"""Guests without an instance, made for one piece of work of one run and taken away with it: builders of templates,
helpers that read a copy, sandboxes of drills, peeks.

A workflow gives each of these a step of its own; every one of them may be repeated, and killed at any moment:

    wanted = Throwaway(throwaway.name(ctx, "helper"), version_id, gigabytes, Source(snapshot=…))
    place       return throwaway.place(ctx, wanted)           its row, its volume, its port
    server      return throwaway.server(ctx, wanted)
    …           answer = throwaway.ask(ctx, wanted, "verb", **arguments)        as often as one likes
    tidy_up     return throwaway.take_away(ctx, wanted.name)      and the same in the detour of all of them

The guest has no endpoint and no certificate (TLS is off unless it is asked for), and no client is told of it. Whatever
a run that has ended left behind is found by its row, which comes first and goes last, and swept (`abandoned`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Guest, Run
from argosy.durable.workflow import Context, Outcome, Wait
from argosy.guest import enrolment, mailbox
from argosy.model.guest import TlsMode
from argosy.providers.base import PortSpec, Provider, Server, ServerSpec, Source, State
from argosy.workflows import boot, offers
from argosy.workflows.world import World

RAM = 512
"""MiB of one that needs no more than its agent, or a server that nobody asks much."""
VCPUS = 2.0
GENERATION = 1
BLANK = Source()
GONE = frozenset({State.STOPPED, State.ABSENT})


@dataclass(frozen=True)
class Throwaway:
    """What is wanted: the same in every step of a run."""

    name: str
    """of guest, server, volume and port"""
    version_id: str
    gigabytes: int
    source: Source = BLANK
    """what its volume starts from"""
    ram: int = RAM
    """MiB"""
    vcpus: float = VCPUS
    tls: TlsMode = TlsMode.OFF
    """anything else needs an Endpoint row of this name"""


def name(ctx: Context[World], role: str) -> str:
    """The name of what a run makes for this role: the same each time, and no other run's."""
    return str(uuid.uuid5(uuid.UUID(ctx.run.id), role))


def place(ctx: Context[World], wanted: Throwaway) -> Outcome:
    """Volume and port, after the row that a sweep would find them by. Raises CloudFailed, BadRequest."""
    with ctx.database.read() as session:
        expected = session.get(Guest, wanted.name)
        port = offers.get(session, wanted.version_id).engine.port
    if expected is None:
        ctx.record(lambda session: _expect(session, wanted.name, ctx.run.id))
        return Wait(0, "it is written down first")
    provider = ctx.world.provider
    volume = provider.volumes.ensure(wanted.name, wanted.gigabytes, wanted.source)
    network = provider.networks.ensure(PortSpec(wanted.name, "", port))
    for made in (volume, network):
        if made.state is State.FAILED:
            raise errors.CloudFailed(made.fault)
    building = State.BUILDING in (volume.state, network.state)
    return Wait(1, "a volume for it is being made") if building else None


def server(ctx: Context[World], wanted: Throwaway) -> Outcome:
    """Have its server started; whoever asks it something sees whether it came up. Raises CloudFailed."""
    _judge(ctx.world.provider.compute.ensure(_spec(ctx, wanted)))
    return None


def ask(ctx: Context[World], wanted: Throwaway, verb: str, **arguments: Any) -> dict[str, Any] | None:
    """Its answer, or None while it is still at work (`mailbox.ask`). A server that died meanwhile is started again.

    Raises Rejected or GuestFailed as the guest says, CloudFailed for a server that cannot be had.
    """
    seen = ctx.world.provider.compute.look(wanted.name)
    if seen.state in GONE:
        seen = ctx.world.provider.compute.ensure(_spec(ctx, wanted))
    _judge(seen)
    return mailbox.ask(ctx, wanted.name, verb, **arguments)


def take_away(ctx: Context[World], guest: str) -> Outcome:
    """Nothing of it is left at the end of this step, whether it was ever made or not."""
    remove(ctx.world.provider, guest)
    ctx.record(lambda session: enrolment.forget(session, guest))
    return None


def remove(provider: Provider, guest: str) -> None:
    """All that the provider has of it."""
    provider.compute.delete(guest)
    provider.networks.delete(guest)
    provider.volumes.delete(guest)


def abandoned(session: Session) -> Sequence[str]:
    """Those whose run has ended and could not take them away."""
    active = select(Run.id).where(Run.state == "active")
    return session.scalars(select(Guest.id).where(Guest.run_id.is_not(None), Guest.run_id.not_in(active))).all()


def _expect(session: Session, guest: str, run: str) -> None:
    enrolment.expect(session, guest, GENERATION).run_id = run


def _spec(ctx: Context[World], wanted: Throwaway) -> ServerSpec:
    with ctx.database.read() as session:
        offer = offers.get(session, wanted.version_id)
    number = offer.version.number
    return ServerSpec(
        name=wanted.name,
        generation=GENERATION,
        engine=offer.engine.name,
        version=number,
        ram=wanted.ram,
        vcpus=wanted.vcpus,
        volume=wanted.name,
        port=wanted.name,
        tls=wanted.tls,
        boot=boot.document(ctx.world, wanted.name, GENERATION, offer.engine, number),
    )


def _judge(server: Server) -> None:
    if server.state is State.FAILED:
        raise errors.CloudFailed(server.fault)
