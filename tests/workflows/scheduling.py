"""Backups that are due are begun, once, and those that nobody wants any more go."""

from __future__ import annotations

from scenario import Scenario
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Backup, BackupSchedule, DatastoreVersion, Event, Instance, Run
from argosy.durable import queue
from argosy.workflows.backup_schedules import prune_backups, run_schedules

HOUR = 3600.0
DAY = 24 * HOUR


class Scheduled(Scenario):
    """An instance with an hourly schedule."""

    def schedule(self, session: Session, **more: object) -> None:
        instance = self.standing(session)
        session.execute(update(DatastoreVersion).values(capabilities=["accounts", "databases", "tls", "backups"]))
        now = clock.now()
        row = BackupSchedule(id="s", project_id="p", instance_id=instance.id, name="hourly", cron="0 * * * *", missed=0)
        row.timezone, row.full_every, row.strategy, row.retention, row.paused = "UTC", 1, "", {}, False
        row.created = row.updated = now
        row.next_at = (now // HOUR - 2) * HOUR
        for name, value in more.items():
            setattr(row, name, value)
        session.add(row)

    def row_of(self, database: Database) -> BackupSchedule:
        with database.read() as session:
            return session.get_one(BackupSchedule, "s")


class Due(Scheduled):
    """Three were due: one is begun, two are told as missed, and the next is due in the future."""

    def start(self, session: Session) -> None:
        self.schedule(session)
        queue.enqueue(session, run_schedules, "run_schedules")

    def check(self, database: Database) -> None:
        row = self.row_of(database)
        assert clock.now() - 60 < row.next_at <= clock.now() + HOUR
        assert (row.missed, row.fault) == (2, None)
        with database.read() as session:
            assert [each.id for each in session.scalars(select(Backup))] == [row.last_backup_id]
            told = session.scalars(select(Event).where(Event.kind == "dbaas.backup_schedule_missed")).all()
            assert [each.payload["missed"] for each in told] == [2]


class DueInVain(Scheduled):
    """The instance is stopped: why nothing is begun stands where its owner looks, and nothing waits for ever."""

    def start(self, session: Session) -> None:
        self.schedule(session)
        session.get_one(Instance, self.instance).wanted = "stopped"
        queue.enqueue(session, run_schedules, "run_schedules")

    def check(self, database: Database) -> None:
        row = self.row_of(database)
        assert "stopped" in (row.fault or "")
        assert row.missed == 3
        with database.read() as session:
            assert session.scalars(select(Backup)).all() == []


class Pruning(Scheduled):
    """A chain goes as a whole; what is wanted of another keeps all of that one."""

    def start(self, session: Session) -> None:
        self.schedule(session, retention={"count": 1}, next_at=clock.now() + DAY)
        for number, (name, parent) in enumerate((("f1", None), ("i1", "f1"), ("f2", None), ("i2", "f2"))):
            at = clock.now() - (10 - number) * DAY
            row = Backup(id=name, project_id="p", instance_id=self.instance, name=name, version_id="v")
            row.parent_id, row.state, row.schedule_id, row.created = parent, "COMPLETED", "s", at
            row.updated = row.finished = at
            row.quota_held = False
            session.add(row)
        queue.enqueue(session, prune_backups, "prune_backups")

    def check(self, database: Database) -> None:
        with database.read() as session:
            assert set(session.scalars(select(Backup.id))) == {"f2", "i2"}
            begun = session.scalars(select(Run.subject).where(Run.workflow == "delete_backup")).all()
            assert begun == ["f1"]


EVERY = (Due, DueInVain, Pruning)
