"""Webhooks: what must be so when a delivery has ended, whoever was lost on the way."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping

from scenario import Scenario
from sqlalchemy import update
from sqlalchemy.orm import Session

from argosy import clock
from argosy.db import events
from argosy.db.session import Database
from argosy.db.tables import Webhook
from argosy.durable import queue
from argosy.settings import Settings, Webhooks
from argosy.testing.crashes import Passes
from argosy.workflows import deliver_webhook
from argosy.workflows.deliver_webhook import HOUR
from argosy.workflows.webhook_call import Undelivered
from argosy.workflows.world import World

HOOK = "00000000-0000-4000-8000-0000000000aa"


class Telling(Scenario):
    """Every event in order, at least once; only who was lost in the middle of a call makes one come twice."""

    refusals = 0
    many = 3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.taken: list[int] = []
        self.calls = 0

    def start(self, session: Session) -> None:
        now = clock.now()
        hook = Webhook(id=HOOK, project_id="p", url="http://receiver.example/", secret="s", kinds=["dbaas.quota"])
        hook.state, hook.position, hook.failures, hook.fault = "active", 0, 0, ""
        hook.created = hook.updated = now
        session.add(hook)
        for number in range(self.many):
            events.tell(session, "dbaas.quota", project_id="p", resource="volumes", limit=number)
            events.tell(session, "dbaas.instance_update", project_id="p")
            events.tell(session, "dbaas.quota", project_id="another")
        queue.enqueue(session, deliver_webhook.deliver_webhook, HOOK, project_id="p")

    def world(self, passes: Passes) -> World:
        def call(_options: Webhooks, _url: str, headers: Mapping[str, str], body: bytes) -> None:
            assert headers["Argosy-Signature"].startswith("v1=")
            passes("before call")
            self.calls += 1
            if self.calls <= self.refusals:
                raise Undelivered("receiver.example answered 500")
            self.taken.append(json.loads(body)["payload"]["limit"])
            passes("after call")

        return dataclasses.replace(super().world(passes), deliver=call)

    def meanwhile(self, database: Database) -> None:
        deliver_webhook.begin(database)

    def check(self, database: Database) -> None:
        assert list(dict.fromkeys(self.taken)) == list(range(self.many))
        assert self.taken == sorted(self.taken)
        with database.read() as session:
            hook = session.get_one(Webhook, HOOK)
            assert (hook.state, hook.failures, hook.fault) == ("active", 0, "")
            assert hook.position == 3 * self.many - 1


class TellingInTheEnd(Telling):
    """The receiver is away for a while."""

    refusals = 3


class TellingInVain(Telling):
    """The receiver has been away for too long: nothing is lost, and its owner sees why."""

    refusals = 1_000_000

    def meanwhile(self, database: Database) -> None:
        with database.write() as session:
            long_ago = clock.now() - (self.settings.webhooks.give_up_hours + 1) * HOUR
            session.execute(update(Webhook).where(Webhook.failures > 0).values(failing_since=long_ago))
        super().meanwhile(database)

    def check(self, database: Database) -> None:
        assert self.taken == []
        with database.read() as session:
            hook = session.get_one(Webhook, HOOK)
            assert (hook.state, hook.fault, hook.position) == ("failing", "receiver.example answered 500", 0)
            assert events.last(session) == 3 * self.many + 1


EVERY = (Telling, TellingInTheEnd, TellingInVain)
