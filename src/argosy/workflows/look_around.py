"""Keep the offer current: what versions can be had here, and a template of each, so that the first create is fast."""

from __future__ import annotations

from sqlalchemy import select

from argosy.db.tables import DatastoreVersion
from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.providers.base import Feature
from argosy.workflows import build_template, offers
from argosy.workflows.world import World

look_around: Workflow[World] = Workflow("look_around")


@look_around.step()
def versions(ctx: Context[World]) -> Outcome:
    offers.refresh(ctx.database, ctx.world.provider)
    return None


@look_around.step()
def templates(ctx: Context[World]) -> Outcome:
    """Start building what is missing; whoever needs one sooner finds it under way."""
    if Feature.TEMPLATE not in ctx.world.provider.features:
        return None
    there = set(ctx.world.provider.volumes.templates())
    with ctx.database.read() as session:
        active = session.scalars(select(DatastoreVersion.id).where(DatastoreVersion.active)).all()
        missing = {each.template: each for each in (offers.get(session, one) for one in active)}
    for name in sorted(missing.keys() - there):
        with ctx.database.write() as session:
            build_template.admit(session, missing[name])
    return None
