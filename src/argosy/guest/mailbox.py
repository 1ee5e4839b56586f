"""Commands for guests, as rows. The socket only says "look"; a lost message is found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.session import ring
from argosy.db.tables import Command
from argosy.durable import queue
from argosy.durable.workflow import Context
from argosy.model import wire

KINDS: dict[str, type[errors.ArgosyError]] = {"rejected": errors.Rejected, "unavailable": errors.GuestSilent}


@dataclass(frozen=True)
class Waiting:
    """A command without its answer, and without its arguments, which rest sealed."""

    id: str
    guest: str
    cancelled: bool


def ask(ctx: Context[Any], guest: str, verb: str, *, turn: str = "", **arguments: Any) -> dict[str, Any] | None:
    """The guest's answer, or None while it is still working; asking again is free.

    The command is known by run, step, verb and guest (and `turn`, where a step asks more than once): a worker that
    crashed after asking finds the same one. Its answer wakes the run. Raises Rejected or GuestFailed, as the guest
    says, when it could not be done; the guest has then tried for a while itself: trying again is not the answer.
    """
    key = f"{ctx.run.id}/{ctx.run.step}/{verb}/{guest}{turn and f'/{turn}'}"
    with ctx.database.read() as session:
        command = session.get(Command, key)
    if command is None:
        asked = Command(id=key, guest_id=guest, run_id=ctx.run.id, verb=verb, arguments=arguments)
        ctx.record(lambda session: send(session, asked))
        return None
    if not command.answered:
        return None
    try:
        return outcome(command)
    except errors.Unavailable as error:
        raise errors.GuestFailed(error.message) from error


def send(session: Session, command: Command) -> None:
    """Leave a command for its guest, unless it is there already."""
    if session.get(Command, command.id) is None:
        command.created = clock.now()
        session.add(command)
        ring(session, "conductor")


def outcome(command: Command) -> dict[str, Any]:
    """The result of an answered command. Raises GuestFailed and its kin."""
    if command.error:
        raise KINDS.get(command.error_kind, errors.GuestFailed)(command.error)
    return command.result or {}


def cancel(session: Session, run_id: str) -> None:
    """Ask the guests to stop what this run asked of them and has no answer yet. They answer all the same."""
    waiting = (Command.run_id == run_id) & Command.answered.is_(False)
    session.execute(update(Command).where(waiting).values(cancelled=True))
    ring(session, "conductor")


def prune(session: Session, before: float) -> None:
    """Drop answers that nobody can be waiting for any more."""
    session.execute(delete(Command).where(Command.answered.is_(True), Command.created < before))


def waiting(session: Session) -> Sequence[Waiting]:
    """What no guest has answered yet, oldest first."""
    columns = select(Command.id, Command.guest_id, Command.cancelled)
    rows = session.execute(columns.where(Command.answered.is_(False)).order_by(Command.created, Command.id))
    return [Waiting(*row) for row in rows]


def fetch(session: Session, names: Sequence[str]) -> Sequence[Command]:
    """These commands with what they carry, oldest first."""
    return session.scalars(select(Command).where(Command.id.in_(names)).order_by(Command.created, Command.id)).all()


def answer(session: Session, guest: str, reply: wire.Answer) -> None:
    """Keep a guest's answer, once; wakes the run that asked. An answer to another guest's command changes nothing."""
    command = session.get(Command, reply.id, with_for_update=True)  # two conductors may hear the same answer
    if command is None or command.guest_id != guest or command.answered:
        return
    command.answered, command.arguments = True, None
    command.result, command.error, command.error_kind = reply.result, reply.error, reply.error_kind
    ring(session, "api")
    if command.run_id:
        queue.wake(session, command.run_id)


def progress(session: Session, guest: str, report: wire.Progress) -> None:
    command = session.get(Command, report.id)
    if command is not None and command.guest_id == guest and not command.answered:
        command.done, command.total, command.unit = report.done, report.total, report.unit
        ring(session, "api")
