"""Start, stop and wake runs, in the transaction of the caller: either all of it happens or none."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db import actors, events
from argosy.db.session import ring
from argosy.db.tables import Run, RunStep
from argosy.durable import locks
from argosy.durable.workflow import Context, Outcome, Wait, Workflow

TOLD = "told"
"""key of a run's memory: what the event of its start carries besides, without secrets"""
REPEATED = "repeated"
"""key of a run's memory: it repeats one whose failure was told, and only its success is news"""
AGAIN = 2.0
"""seconds between two tries for a lock; the end of its holder wakes us sooner"""


class LeaseLost(errors.Unavailable):
    """another worker has taken this run over, or it has ended"""


def enqueue(  # noqa: PLR0913 - what is held, and how, reads best where it is said
    session: Session,
    workflow: Workflow[Any],
    subject: str,
    *,
    also: Iterable[str] = (),
    shared: Iterable[str] = (),
    patient: bool = False,
    project_id: str = "",
    **memory: Any,
) -> Run:
    """Start a workflow, holding its subject (`also`: further ones, `shared`: some that others may share) until it ends.

    Raises Busy when another run holds one of them. A `patient` run holds nothing yet: its first step does
    (`await_hold`).
    """
    run = _new(workflow, subject, project_id, memory)
    blockers = [] if patient else locks.take(session, run.id, {subject, *also}, set(shared))
    if blockers:
        others = _names(session, blockers)
        raise errors.Busy(f"{subject} is busy with another operation ({others}): wait until it has ended")
    session.add(run)
    if workflow.event and not memory.get(REPEATED):
        told = memory.get(TOLD, {})
        events.tell(session, f"dbaas.{workflow.event}.start", subject=subject, project_id=project_id, **told)
    session.add(RunStep(run_id=run.id, position=0, name=run.step, state="waiting", started=run.created, attempts=1))
    session.flush()
    ring(session, "taskmanager", "api")
    return run


def hold(session: Session, run: Run, *subjects: str, shared: bool = False) -> bool:
    """Take the subjects for this run: all of them or none. Asks less urgent holders to stop.

    Raises LeaseLost when this worker does not own the run any more.
    """
    return not _blockers(session, run, subjects, shared=shared)


def await_hold(ctx: Context[Any], *subjects: str, shared: bool = False) -> Outcome:
    """As a step's whole answer: done once the run holds the subjects, and until then a wait that says for what."""
    with ctx.database.write() as session:
        blockers = _blockers(session, ctx.run, subjects, shared=shared)
        return Wait(AGAIN, f"waits for another operation to end ({_names(session, blockers)})") if blockers else None


def cancel(session: Session, subject: str) -> None:
    """Ask whatever holds the subject, or waits to hold it, to stop at its next step."""
    concerned = select(Run.id).where((Run.subject == subject) & (Run.state == "active"))
    _signal(session, {*locks.holders(session, subject), *session.scalars(concerned)}, cancelled=True)


def let_go(session: Session, run: Run, subject: str) -> None:
    """Hold this no longer, in the transaction that ends a step: the rest of the run does not need it."""
    locks.release(session, run.id, subject)
    wake_waiting(session, run, [subject])


def cancel_run(session: Session, run_id: str) -> None:
    """Ask this one to stop at its next step."""
    _signal(session, {run_id}, cancelled=True)


def wake(session: Session, run_id: str) -> None:
    """Have the run look again now. Never lost: a run that is just going to sleep stays awake."""
    _signal(session, {run_id})


def wake_waiting(session: Session, ended: Run, subjects: Sequence[str]) -> None:
    """Have the other runs about these subjects look again: what they waited for has been released."""
    others = Run.subject.in_(subjects) & (Run.state == "active") & (Run.id != ended.id)
    _signal(session, set(session.scalars(select(Run.id).where(others))))


def _new(workflow: Workflow[Any], subject: str, project_id: str, memory: dict[str, Any]) -> Run:
    now, who = clock.now(), actors.current()
    return Run(
        id=str(uuid.uuid4()),
        workflow=workflow.name,
        version=workflow.version,
        subject=subject,
        project_id=project_id,
        actor=who.user_id,
        actor_project=who.project_id,
        request_id=who.request_id,
        step=workflow.first,
        memory=memory,
        urgency=workflow.urgency,
        wake_at=0.0,
        created=now,
    )


def _blockers(session: Session, run: Run, subjects: Iterable[str], *, shared: bool) -> list[str]:
    wanted = set(subjects)
    blockers = locks.take(session, run.id, () if shared else wanted, wanted if shared else ())
    if blockers:
        milder = select(Run.id).where(Run.id.in_(blockers) & (Run.urgency < run.urgency) & Run.cancelled.is_(False))
        _signal(session, set(session.scalars(milder)), cancelled=True)
    _own(session, run)
    return blockers


def _own(session: Session, run: Run) -> None:
    """Keep the run ours until this transaction ends: a lock taken for a run that has ended would stay for ever.

    After the locks, as everywhere: whoever ends a run has its subjects' guards first and then wakes those who wait.
    """
    ours = (Run.id == run.id) & (Run.epoch == run.epoch)
    if session.scalar(select(Run.id).where(ours).with_for_update()) is None:
        raise LeaseLost


def _signal(session: Session, run_ids: set[str], **values: Any) -> None:
    """Unconditional and counted: a run that is just going to sleep meets the row changed, and stays awake."""
    for run_id in sorted(run_ids):
        values |= {"wake_at": 0.0, "wake_seq": Run.wake_seq + 1}
        session.execute(update(Run).where(Run.id == run_id).values(values).execution_options(synchronize_session=False))
    ring(session, "taskmanager")


def _names(session: Session, run_ids: Sequence[str]) -> str:
    names = session.scalars(select(Run.workflow).where(Run.id.in_(run_ids)).distinct()).all()
    return ", ".join(sorted(names)) or "just ending"
