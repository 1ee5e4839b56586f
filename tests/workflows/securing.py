"""TLS: what an instance speaks and shows, and the authority behind it."""

from __future__ import annotations

from types import MappingProxyType

from scenario import CALLER, Scenario
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db.session import Database
from argosy.db.tables import Certificate, Endpoint, Event, Fact, Guest, Instance, Run
from argosy.durable import queue
from argosy.guest import authority, certificates, succession
from argosy.model.guest import TlsMode
from argosy.model.status import Task
from argosy.testing.fakes import FakeGuests
from argosy.workflows import change_tls, delete_instance, rotate_authority
from argosy.workflows.change_tls import Tls
from argosy.workflows.renew_certificate import renew_certificates

BROUGHT = {"certificate": "theirs", "private_key": "their key", "authority": ""}


class Securing(Scenario):
    """Another mode and a certificate of the owner's, and the way back to what was before."""

    def start(self, session: Session) -> None:
        change_tls.admit(session, CALLER, self.standing(session), Tls(TlsMode.MTLS, BROUGHT))

    def check(self, database: Database) -> None:
        assert self.row(database).tls_mode == TlsMode.MTLS
        assert self.row(database).task == Task.NONE
        assert self.cloud.servers[self.instance].tls == TlsMode.MTLS
        with database.read() as session:
            assert session.get_one(Certificate, self.instance).brought == BROUGHT
            assert change_tls.before(session, session.get_one(Instance, self.instance)) == Tls(TlsMode.ENFORCED)
        self.each_command_once()
        self.no_secret_left(database)


class SecuringInVain(Securing):
    """The server cannot: everything says again what it said before."""

    refuse = MappingProxyType({"change_tls": "FATAL: could not load server certificate"})

    def check(self, database: Database) -> None:
        assert self.row(database).tls_mode == TlsMode.ENFORCED
        assert "could not load" in (self.row(database).fault or "")
        assert self.cloud.servers[self.instance].tls == TlsMode.ENFORCED
        with database.read() as session:
            kept = session.get_one(Certificate, self.instance)
            assert (kept.brought, kept.previous_mode) == (None, None)
        self.no_secret_left(database)


class DeletingWhileSecuring(Securing):
    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            row = session.get_one(Instance, self.instance)
            if row.task != Task.DELETING and not row.deleted:
                delete_instance.admit(session, CALLER, row)
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.row(database).deleted
        assert self.cloud.names() == set()
        with database.read() as session:
            assert session.get(Certificate, self.instance) is None


class Renewing(Scenario):
    """A certificate near its end is renewed."""

    def start(self, session: Session) -> None:
        self.standing(session)
        queue.enqueue(session, renew_certificates, "renew_certificates")

    def check(self, database: Database) -> None:
        assert sum(self.asked.values()) == 1
        assert self.row(database).fault is None


class WarningOfTheEnd(Renewing):
    """What its owner brought is not replaced: they are told, once for each time that is left."""

    def start(self, session: Session) -> None:
        super().start(session)
        certificates.row(session, self.instance).brought = BROUGHT
        for each in session.scalars(select(Endpoint)):
            each.certificate_until = clock.now() + 10 * 86_400

    def check(self, database: Database) -> None:
        assert not self.asked
        with database.read() as session:
            told = session.scalars(select(Event).where(Event.kind == "dbaas.certificate_ending")).all()
            assert [(each.instance_id, each.payload["days"]) for each in told] == [(self.instance, 14)]


class Rotating(Scenario):
    """Another authority: trusted everywhere before it signs, the old one until nothing of it is shown."""

    def start(self, session: Session) -> None:
        self.standing(session)
        session.get_one(Guest, self.instance).confirmed = True
        certificates.row(session, self.instance)
        rotate_authority.admit(session, CALLER, 0)
        self.before = authority.load(self.settings.keys).fingerprint

    def meanwhile(self, database: Database) -> None:
        """The conductor shows what signs, and hands out certificates; nobody has it that was not told whom to trust."""
        signing = authority.load(self.settings.keys)
        with database.write() as session:
            session.merge(Fact(name=authority.SHOWN, value=signing.fingerprint))
            if self.renewing(session):
                certificates.hand_out(session, signing, 30, self.instance)
        FakeGuests(database, self.asked, self.refuse).answer_all()
        if signing.fingerprint != self.before:
            assert any("/trust/" in name for name in self.asked)

    def renewing(self, session: Session) -> bool:
        return bool(session.scalars(select(Run.id).where(Run.workflow == "renew_certificate")).all())

    def check(self, database: Database) -> None:
        after = authority.load(self.settings.keys)
        assert after.fingerprint != self.before
        assert succession.stage(self.settings.keys) is succession.Stage.SETTLED
        assert len(authority.certificates(self.settings.keys)) == 1
        with database.read() as session:
            assert session.get_one(Certificate, self.instance).authority == after.fingerprint
            assert session.scalars(select(Run.state).where(Run.workflow == "rotate_authority")).all() == ["done"]


class RotatingInVain(Rotating):
    """A guest cannot be told: the old one signs on, and beginning again goes on from here."""

    refuse = MappingProxyType({"trust": "this agent does not know how to trust"})

    def check(self, database: Database) -> None:
        assert authority.load(self.settings.keys).fingerprint == self.before
        assert succession.stage(self.settings.keys) is succession.Stage.ANNOUNCED
        with database.read() as session:
            run = session.scalars(select(Run).where(Run.workflow == "rotate_authority")).one()
        assert run.state == "failed"
        assert self.instance in run.fault


EVERY = (Securing, SecuringInVain, DeletingWhileSecuring, Renewing, WarningOfTheEnd, Rotating, RotatingInVain)
