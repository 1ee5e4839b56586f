"""Build a template: a builder guest initialises an empty volume of one exact version, which is then sealed.

The builder is a guest like any other, so no engine binary ever runs outside a sandbox; it gets no endpoint, and its
server is gone before the volume is sealed.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import errors
from argosy.db.tables import Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.workflows import offers, throwaway
from argosy.workflows.throwaway import Throwaway
from argosy.workflows.world import World

build_template: Workflow[World] = Workflow("build_template")

GIGABYTES = 1
"""Of the builder's volume: no instance is smaller."""
FAILED = "failed"


def require(ctx: Context[World], offer: offers.Offer) -> Outcome:
    """For steps that need the template: None when it is there, else a wait while it is being built.

    Raises CloudFailed with the builder's own fault when the building that this run waited for has failed.
    """
    if offer.template in ctx.world.provider.volumes.templates():
        return None
    with ctx.database.read() as session:
        building = session.get(Run, ctx.memory.get("building", ""))
    if building is not None and building.state == FAILED:
        raise errors.CloudFailed(f"the template {offer.template} could not be built: {building.fault}")

    def begin(session: Session) -> None:
        ctx.memory["building"] = admit(session, offer)

    ctx.record(begin)
    return Wait(0.25, f"the template of {offer.engine.title} {offer.version.number} is being built")


def admit(session: Session, offer: offers.Offer) -> str:
    """Start building, unless somebody does already: the id of the run that does."""
    try:
        return queue.enqueue(session, build_template, offer.template, version_id=offer.version.id).id
    except errors.Busy:
        mine = (Run.workflow == build_template.name) & (Run.subject == offer.template) & (Run.state == "active")
        return session.scalar(select(Run.id).where(mine)) or ""


def builder(template: str) -> str:
    """The builder's name, from the template's: the same each time."""
    return str(uuid.uuid5(offers.SPACE, f"builder/{template}"))


def _wanted(ctx: Context[World]) -> Throwaway:
    return Throwaway(builder(ctx.subject), ctx.memory["version_id"], GIGABYTES)


@build_template.step(detour="give_up")
def clear(ctx: Context[World]) -> Outcome:
    """What an earlier attempt left is taken away: a builder always starts from nothing."""
    return throwaway.take_away(ctx, builder(ctx.subject))


@build_template.step(detour="give_up")
def place(ctx: Context[World]) -> Outcome:
    return throwaway.place(ctx, _wanted(ctx))


@build_template.step(detour="give_up")
def server(ctx: Context[World]) -> Outcome:
    return throwaway.server(ctx, _wanted(ctx))


@build_template.step(minutes=15, detour="give_up")
def install(ctx: Context[World]) -> Outcome:
    answer = throwaway.ask(ctx, _wanted(ctx), "install")
    return Wait(5, "the data directory is being initialised") if answer is None else None


@build_template.step(detour="give_up")
def seal(ctx: Context[World]) -> Outcome:
    name, provider = builder(ctx.subject), ctx.world.provider
    provider.compute.delete(name)
    provider.volumes.make_template(ctx.subject, name)
    return None


@build_template.step()
def tidy_up(ctx: Context[World]) -> Outcome:
    return throwaway.take_away(ctx, builder(ctx.subject))


@build_template.detour()
def give_up(ctx: Context[World]) -> Outcome:
    return throwaway.take_away(ctx, builder(ctx.subject))
