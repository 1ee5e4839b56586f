"""Agents are replaced after an upgrade, and the deployment keeps backups of itself."""

from __future__ import annotations

from scenario import CALLER, Scenario
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from argosy.db import migrate
from argosy.db.session import Database
from argosy.db.tables import Event, Fact, Guest, Instance, Run
from argosy.durable import locks, queue
from argosy.workflows import delete_instance, renew_agents, self_backup


class Replacing(Scenario):
    """A guest of another release gets the installed agent; the conductor hears it say so. Nothing else waits for it."""

    replaced = True

    def start(self, session: Session) -> None:
        session.get_one(Guest, self.standing(session).id).agent = "0.1.0"
        queue.enqueue(session, renew_agents.renew_agents, "renew_agents")

    def meanwhile(self, database: Database) -> None:
        super().meanwhile(database)
        with database.read() as session:
            assert not locks.holders(session, self.instance)
        if self.instance in self.cloud.renewed and self.replaced:
            with database.write() as session:
                session.get_one(Guest, self.instance).agent = renew_agents.OURS

    def check(self, database: Database) -> None:
        with database.read() as session:
            states = session.scalars(select(Run.state).where(Run.workflow == "renew_agent")).all()
            assert states == ["done"]
            assert session.get_one(Instance, self.instance).fault is None
            assert session.get_one(Guest, self.instance).agent == renew_agents.OURS


class ReplacingInVain(Replacing):
    """The new agent never says hello: it is told, the instance stays as it was, and the others' turn comes."""

    replaced = False

    def check(self, database: Database) -> None:
        with database.read() as session:
            states = session.scalars(select(Run.state).where(Run.workflow == "renew_agent")).all()
            assert states == ["failed"]
            assert session.scalar(select(Run.state).where(Run.workflow == "renew_agents")) == "done"
            assert session.get_one(Instance, self.instance).fault is None
            kinds = set(session.scalars(select(Event.kind)))
            assert "dbaas.agent_renew.error" in kinds


class ReplacingAndDeleting(Replacing):
    """Its owner deletes it meanwhile: nobody waits for an agent of what is gone."""

    replaced = False

    def meanwhile(self, database: Database) -> None:
        Scenario.meanwhile(self, database)
        if self.instance in self.cloud.renewed:
            with database.write() as session:
                instance = session.get_one(Instance, self.instance)
                if not instance.deleted:
                    delete_instance.admit(session, CALLER, instance)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()
        with database.read() as session:
            states = set(session.scalars(select(Run.state).where(Run.workflow == "renew_agent")))
            assert states <= {"done", "cancelled"}


class Keeping(Scenario):
    """It is time: one backup more, and a fact that says when."""

    def start(self, session: Session) -> None:
        (self.settings.state / "argosy.toml").touch()
        session.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))"))
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text(f"INSERT INTO alembic_version VALUES ('{migrate.HEAD}')"))
        queue.enqueue(session, self_backup.self_backups, "self_backups")

    def check(self, database: Database) -> None:
        with database.read() as session:
            made = session.get_one(Fact, self_backup.FACT).value
        assert (self.settings.state / "self-backups" / made["file"]).stat().st_size == made["bytes"]


EVERY = (Replacing, ReplacingInVain, ReplacingAndDeleting, Keeping)
