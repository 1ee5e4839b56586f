"""Give the deployment another certificate authority, while everything runs.

Agents know the conductor by the authority, and clients their databases. So the coming one is trusted everywhere before
it signs anything, and the old one until nothing that it signed is shown any more. Whoever is interrupted, or fails and
is started again, goes on where the files stand (guest/succession.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Certificate, Fact, Guest, Instance, Run
from argosy.durable import queue
from argosy.durable.workflow import Context, Outcome, Wait, Workflow
from argosy.guest import authority, mailbox, succession
from argosy.model.caller import Caller
from argosy.model.guest import TlsMode
from argosy.model.status import Task
from argosy.workflows import servers
from argosy.workflows.renew_certificate import AT_ONCE, renew_certificate
from argosy.workflows.world import World

rotate_authority: Workflow[World] = Workflow("rotate_authority", event="authority_rotate")

SUBJECT = "authority"
AGAIN_SECONDS = 0.5
LOOK_SECONDS = 3600.0
MONTHS = 60 * 24 * 90
"""minutes: a guest may be out of reach for long, and nothing presses"""


def admit(session: Session, caller: Caller, days: float) -> Run:
    """Begin; the new authority signs after so many days at the earliest. Raises Busy while it is being done already."""
    until = clock.now() + days * 86_400
    return queue.enqueue(session, rotate_authority, SUBJECT, project_id=caller.project_id, until=until)


@rotate_authority.step()
def make(ctx: Context[World]) -> Outcome:
    succession.begin(ctx.world.settings.keys)
    return None


@rotate_authority.step(minutes=MONTHS)
def announce(ctx: Context[World]) -> Outcome:
    """Every agent knows conductors of both."""
    return _tell_every_guest(ctx)


@rotate_authority.step(minutes=12 * MONTHS)
def overlap(ctx: Context[World]) -> Outcome:
    """Clients have time to fetch both."""
    left = float(ctx.memory["until"]) - clock.now()
    if left <= 0 or succession.stage(ctx.world.settings.keys) is not succession.Stage.ANNOUNCED:
        return None
    return Wait(min(left, LOOK_SECONDS), f"clients have until {clock.timestamp(ctx.memory['until'])} to fetch both")


@rotate_authority.step(minutes=MONTHS)
def announce_again(ctx: Context[World]) -> Outcome:
    """Who was not there before knows both too."""
    return _tell_every_guest(ctx)


@rotate_authority.step()
def promote(ctx: Context[World]) -> Outcome:
    succession.promote(ctx.world.settings.keys)
    return None


@rotate_authority.step(minutes=MONTHS)
def conductor(ctx: Context[World]) -> Outcome:
    with ctx.database.read() as session:
        shown = session.get(Fact, authority.SHOWN)
    if shown is not None and shown.value == _signing(ctx):
        return None
    return Wait(AGAIN_SECONDS, "the conductor is to show a certificate of the new authority")


@rotate_authority.step(minutes=MONTHS)
def reissue(ctx: Context[World]) -> Outcome:
    """Every server shows a certificate of the new authority, but those that show one of their owner's."""
    left = _outdated(ctx)
    for instance in left[:AT_ONCE]:
        servers.look_after(ctx.database, renew_certificate, instance)
    return Wait(AGAIN_SECONDS, f"certificates of the old authority: {_told(left)}") if left else None


@rotate_authority.step()
def retire(ctx: Context[World]) -> Outcome:
    succession.retire(ctx.world.settings.keys)
    return None


@rotate_authority.step(minutes=MONTHS)
def forget(ctx: Context[World]) -> Outcome:
    """No agent trusts the old one any more."""
    return _tell_every_guest(ctx)


def _tell_every_guest(ctx: Context[World]) -> Outcome:
    trusted = authority.trusted(ctx.world.settings.keys)
    open_ = [guest for guest in _guests(ctx) if not _has_heard(ctx, guest, trusted)]
    return Wait(AGAIN_SECONDS, f"guests that have not heard whom to trust: {_told(open_)}") if open_ else None


def _has_heard(ctx: Context[World], guest: str, trusted: str) -> bool:
    try:
        return mailbox.ask(ctx, guest, "trust", authority=trusted) is not None
    except (errors.Rejected, errors.GuestFailed) as error:
        raise errors.GuestFailed(
            f"guest {guest} cannot be told whom to trust: {error.message} - begin again when it can, nothing is lost"
        ) from error


def _guests(ctx: Context[World]) -> Sequence[str]:
    """All but those of instances that never came to life."""
    stillborn = Guest.confirmed.is_(False) & Guest.connected.is_(False) & (Instance.task == Task.ERROR)
    alive = or_(Instance.id.is_(None), ~stillborn)
    query = select(Guest.id).outerjoin(Instance, Instance.id == Guest.id).where(alive).order_by(Guest.id)
    with ctx.database.read() as session:
        return session.scalars(query).all()


def _signing(ctx: Context[World]) -> str:
    return authority.load(ctx.world.settings.keys).fingerprint


def _outdated(ctx: Context[World]) -> Sequence[str]:
    """Instances whose server shows a certificate of another authority, or was not heard to show the new one yet."""
    other = or_(Certificate.authority.is_(None), Certificate.authority != _signing(ctx))
    shows = Instance.deleted.is_(False) & (Instance.tls_mode != TlsMode.OFF) & Guest.confirmed.is_(True)
    query = (
        select(Instance.id)
        .join(Guest, Guest.id == Instance.id)
        .outerjoin(Certificate, Certificate.instance_id == Instance.id)
        .where(shows, other, Certificate.brought.is_(None))
    )
    renewing = select(Run.subject).where(Run.workflow == renew_certificate.name, Run.state == "active")
    with ctx.database.read() as session:
        return sorted({*session.scalars(query), *session.scalars(renewing)})


def _told(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})"
