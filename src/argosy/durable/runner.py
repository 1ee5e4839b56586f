"""Runs workflows so that a crash at any moment costs time and nothing else.

A runner claims a due run and carries it: it calls the current step outside any transaction, and in one short one writes
what the step recorded together with the run's next move, if the run is still its own (its epoch stands). While one step
follows another at once the claim is kept; when the run waits or ends it is given back.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from typing import Any, Generic

from sqlalchemy.orm import Session

from argosy import errors, logs
from argosy.clock import Clock
from argosy.db.actors import Actor, acting
from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.durable import claims, moves, transitions
from argosy.durable.claims import DATABASE_AWAY
from argosy.durable.lease import Leases
from argosy.durable.queue import LeaseLost
from argosy.durable.workflow import Context, Workflow, World

log = logging.getLogger(__name__)


class Runner(Generic[World]):
    """Safe to share between threads."""

    def __init__(
        self, database: Database, workflows: Mapping[str, Workflow[World]], world: World, now: Clock, leases: Leases
    ) -> None:
        self.workflows = workflows
        self.stopping = False
        """set to give runs back after the step under way"""
        self._database = database
        self._world = world
        self._now = now
        self._leases = leases
        self._known = sorted((workflow.name, workflow.version) for workflow in workflows.values())

    def run_once(self) -> bool:
        """Carry one due run until it waits or ends; false when nothing is due."""
        run, _seconds = self.next()
        if run is None:
            return False
        self.carry(run)
        return True

    def next(self) -> tuple[Run | None, float]:
        """A run that is now ours to carry; or None, and the seconds until one is due (infinite when none waits)."""
        now = self._now()
        with self._database.read() as session:
            waiting = claims.waiting(session, self._known, now)
        for run in claims.due(waiting, now):
            if self._claim(run, now):
                return run, 0.0
        return None, min((max(run.wake_at - now, 0.0) for run in waiting), default=float("inf"))

    def carry(self, run: Run) -> None:
        """Call step after step until the run waits, ends, or is not ours any more. Raises nothing of its own."""
        who = Actor(run.actor, run.actor_project, run.request_id)
        with logs.bound(run=run.id, workflow=run.workflow, subject=run.subject), acting(who):
            try:
                while self._step(run):
                    pass
            except LeaseLost:
                log.warning("the run is not ours any more", extra={"step": run.step})
                self._leases.give_back(run)
            except Exception:
                log.exception("the run cannot be carried on just now", extra={"step": run.step})
                self._leases.give_back(run)
            finally:
                self._leases.discard(run)

    def _claim(self, run: Run, now: float) -> bool:
        taken = False
        lease = self._leases.offer(run, now)
        try:
            with self._database.write() as session:
                taken = claims.claim(session, run, lease, moves.find(self.workflows[run.workflow], run.step).seconds)
        except DATABASE_AWAY:
            self._leases.give_back(run)
            raise
        finally:
            if not taken:
                self._leases.discard(run)
        return taken

    def _step(self, run: Run) -> bool:
        """One call of the current step and its commit; true when the next step is to follow at once."""
        ctx = Context(run, self._world, self._database, copy.deepcopy(run.memory))
        answer = self._call(ctx)
        if isinstance(answer, Exception):
            return self._move(ctx, answer)
        try:
            return self._move(ctx, answer)
        except LeaseLost:
            raise
        except Exception as fault:
            log.exception("what the step recorded cannot be written", extra={"step": run.step})
            return self._move(ctx, _translated(fault))

    def _call(self, ctx: Context[World]) -> moves.Answer:
        run, workflow = ctx.run, self.workflows[ctx.run.workflow]
        refused = moves.refusal(workflow, run.step, cancelled=run.cancelled, lost=run.lost - 1)
        if refused is not None:
            return refused
        try:
            return moves.find(workflow, run.step).function(ctx)
        except LeaseLost:
            raise
        except Exception as fault:
            log.info("the step cannot answer", extra={"step": run.step}, exc_info=_unexpected(fault))
            return _translated(fault)

    def _move(self, ctx: Context[World], answer: moves.Answer) -> bool:
        run, now = ctx.run, self._now()
        at = moves.Situation(run.step, run.attempt, run.deadline_at - now, run.fault)
        move = moves.decide(self.workflows[run.workflow], at, answer)
        failed = isinstance(answer, Exception)
        moment = transitions.Moment(now, run.memory if failed else ctx.memory, keep=not self.stopping)
        with self._database.write() as session:
            for record in [] if failed else ctx.records:
                record(session)
            entered = self._write(session, run, move, moment)
        _tell(run, move)
        for name, value in entered.items():
            setattr(run, name, value)
        return bool(entered) and moment.keep

    def _write(self, session: Session, run: Run, move: moves.Move, moment: transitions.Moment) -> dict[str, Any]:
        """The run's new values, if it goes on."""
        if isinstance(move, moves.Enter):
            return transitions.enter(session, run, move, moment)
        if isinstance(move, moves.Sleep):
            transitions.sleep(session, run, move, moment)
        else:
            transitions.end(session, run, move, self.workflows[run.workflow])
        return {}


def _tell(run: Run, move: moves.Move) -> None:
    if isinstance(move, moves.Enter):
        log.info("step", extra={"from": run.step, "to": move.step, **({"fault": move.fault} if move.fault else {})})
    elif isinstance(move, moves.Sleep):
        log.info("waits", extra={"step": run.step, "seconds": move.seconds, "reason": move.note})
    else:
        log.info("ended", extra={"step": run.step, "state": move.state, "fault": move.fault})


def _unexpected(fault: Exception) -> Exception | None:
    """What belongs into the log with its traceback."""
    return None if isinstance(fault, (errors.ArgosyError, *DATABASE_AWAY)) else fault


def _translated(fault: Exception) -> Exception:
    if isinstance(fault, DATABASE_AWAY):
        return errors.Unavailable("the control database does not answer")
    return fault
