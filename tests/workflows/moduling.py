"""Modules: given at create, applied, removed, applied again."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy.db.session import Database
from argosy.db.tables import Command, Instance, InstanceModule, Module
from argosy.guest import mailbox
from argosy.model import wire
from argosy.workflows import change_modules, create_instance, module_rows, reapply_module
from argosy.workflows.reapply_module import Batches

MODULE = "11111111-1111-4111-8111-111111111111"
OUTDATED = "0" * 32


def module(**more: Any) -> Module:
    told = {"name": "hello", "type": "ping", "contents": "bWVzc2FnZT1oZWxsbw==", "md5": "m" * 32, "project_id": "p"}
    return Module(id=MODULE, created=0.0, updated=0.0, **{**told, **more})


class Applying(Scenario):
    def start(self, session: Session) -> None:
        made = module()
        session.add(made)
        change_modules.apply(session, CALLER, self.standing(session), [made])

    def meanwhile(self, database: Database) -> None:
        with database.read() as session:
            waiting = session.scalars(select(Command).where(Command.answered.is_(False))).all()
        for command in waiting:
            self.asked[command.id] = self.asked.get(command.id, 0) + 1
            asked = (command.arguments or {}).get("modules", ())
            told = {each["id"]: {"status": "OK", "message": "hello"} for each in asked}
            reply = wire.Answer(command.id, {"version": "15.18", "modules": told}, self.refuse.get(command.verb, ""))
            with database.write() as session:
                mailbox.answer(session, command.guest_id, reply)

    def given(self, database: Database) -> dict[str, str]:
        """Instance -> what became of the module there."""
        with database.read() as session:
            rows = session.scalars(select(InstanceModule)).all()
        return {row.instance_id: f"{row.status} {row.message}" for row in rows}

    def check(self, database: Database) -> None:
        assert self.given(database) == {self.instance: "OK hello"}
        self.each_command_once()
        self.no_secret_left(database)


class ApplyingInVain(Applying):
    refuse = MappingProxyType({"apply_modules": "no space left on device"})

    def check(self, database: Database) -> None:
        assert self.given(database) == {self.instance: "ERROR no space left on device"}
        assert "no space left" in (self.row(database).fault or "")
        self.no_secret_left(database)


class Removing(Applying):
    def start(self, session: Session) -> None:
        made, instance = module(), self.standing(session)
        session.add(made)
        module_rows.expect(session, instance, [made])
        session.flush()
        module_rows.settle(session, instance.id, MODULE, "OK", "")
        change_modules.remove(session, CALLER, instance, MODULE)

    def check(self, database: Database) -> None:
        assert self.given(database) == {}


class CreatingWithModules(Applying):
    """Those of every instance are given too."""

    def start(self, session: Session) -> None:
        session.add(module(auto_apply=True, project_id=None))
        session.flush()
        new = create_instance.NewInstance("m1", "1", 2, self.offer(session), "RegionOne")
        self.instance = create_instance.admit(session, self.settings, CALLER, new).instance.id


class Reapplying(Applying):
    """Every instance that had older contents has the present ones in the end, batch after batch."""

    def start(self, session: Session) -> None:
        made = module()
        session.add(made)
        for instance in (self.standing(session), self.another(session), self.another(session)):
            module_rows.expect(session, instance, [made])
            session.flush()
            row = session.get_one(InstanceModule, (instance.id, MODULE))
            row.status, row.md5 = "OK", OUTDATED
        reapply_module.admit(session, made, Batches(size=2, delay=0))

    def another(self, session: Session) -> Instance:
        first = session.get_one(Instance, self.instance)
        columns = {each.name: getattr(first, each.name) for each in Instance.__table__.columns}
        instance = Instance(**{**columns, "id": f"22222222-2222-4222-8222-{session.query(Instance).count():012}"})
        session.add(instance)
        session.flush()
        return instance

    def check(self, database: Database) -> None:
        assert list(self.given(database).values()) == ["OK hello"] * 3
        with database.read() as session:
            assert set(session.scalars(select(InstanceModule.md5))) == {"m" * 32}
        self.no_secret_left(database)


EVERY = (Applying, ApplyingInVain, Removing, CreatingWithModules, Reapplying)
