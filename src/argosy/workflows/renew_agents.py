"""After an upgrade give every guest the installed agent, one after the other. Their servers run on meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import agents
from argosy.db.tables import Guest, Run
from argosy.durable import locks, queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.model import release
from argosy.workflows.world import World

renew_agent: Workflow[World] = Workflow("renew_agent", cancellable=True, event="agent_renew")
renew_agents: Workflow[World] = Workflow("renew_agents")

OURS = release.agent()
"""What was installed when we started."""
PROMPT = 5
"""Looks in quick succession: an agent is there within a second."""
AGAIN_SECONDS = 3600.0
"""A guest whose agent could not be replaced is left in peace for so long."""


@renew_agents.step(minutes=24 * 60)
def next_one(ctx: Context[World]) -> Outcome:
    if release.agent() != OURS:  # an installation is under way: what we start next replaces the agents
        return None
    with ctx.database.read() as session:
        waiting = agents.outdated(session, OURS)
        left = [guest for guest in waiting if guest not in _tried(session)]
        free = [guest for guest in left if not locks.holders(session, guest)]
        under_way = session.scalar(select(Run.id).where(Run.workflow == renew_agent.name, Run.state == "active"))
    if under_way is None and free:
        ctx.record(lambda session: _begin(session, free[0]))
    return Wait(20, f"{len(left)} agents are to be replaced") if left or under_way else None


def _begin(session: Session, guest: str) -> None:
    """It holds nothing: what its owner asks for meanwhile is never refused, and its commands wait for the new agent."""
    queue.enqueue(session, renew_agent, guest, patient=True)


@renew_agent.step()
def replace(ctx: Context[World]) -> Outcome:
    if not _renewed(ctx):
        ctx.world.provider.compute.renew_agent(ctx.subject)
    return None


@renew_agent.step(minutes=2)
def greet(ctx: Context[World]) -> Outcome:
    if _renewed(ctx):
        ctx.record(_go_on)
        return None
    looks = ctx.memory["looks"] = ctx.memory.get("looks", 0) + 1
    return Wait(1 if looks < PROMPT else 30, "the new agent has not reached the conductor yet")


def _go_on(session: Session) -> None:
    """It is the next one's turn at once."""
    for run in session.scalars(select(Run.id).where(Run.workflow == renew_agents.name, Run.state == "active")):
        queue.wake(session, run)


def _renewed(ctx: Context[World]) -> bool:
    """One that is gone meanwhile needs no agent any more."""
    with ctx.database.read() as session:
        guest = session.get(Guest, ctx.subject)
    return guest is None or guest.agent == OURS


def _tried(session: Session) -> Sequence[str]:
    lately = (Run.workflow == renew_agent.name) & (Run.state != "active") & (Run.created > clock.now() - AGAIN_SECONDS)
    return session.scalars(select(Run.subject).where(lately & (Run.state == "failed"))).all()
