"""What is read under an operation that waits for a guest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenario import Scenario

from argosy.db.tables import Guest, Run
from argosy.durable.workflow import Context, Wait
from argosy.providers import base
from argosy.settings import Settings
from argosy.testing.databases import Server
from argosy.testing.fakes import FakeCompute, FakeProvider
from argosy.workflows import servers
from argosy.workflows.world import World

DOING = "the database server is starting"
AWAY = "the guest has not reached the conductor at 127.0.0.1:8780 yet{}: `argosy status` tells its health"


class Speaking(FakeCompute):
    """Its guests' agents die of this."""

    words = ""

    def look(self, name: str) -> base.Server:
        return replace(super().look(name), words=self.words)


@pytest.mark.parametrize(
    ("connected", "words", "reason"),
    [
        (True, "connected", DOING),
        (False, "", AWAY.format("")),
        (False, "No module named 'websockets'", AWAY.format(" (the last that it said: No module named 'websockets')")),
    ],
    ids=["it works", "it says nothing", "it dies"],
)
def test_one_that_cannot_reach_us_is_quoted(
    server: Server, settings: Settings, connected: bool, words: str, reason: str
) -> None:
    scenario = Scenario(settings)
    provider = FakeProvider(scenario.cloud)
    provider.compute = Speaking(scenario.cloud)
    provider.compute.words = words
    with server.fresh() as database:
        with database.write() as session:
            instance = scenario.standing(session).id
            session.get_one(Guest, instance).connected = connected
        ctx = Context(Run(subject=instance), World(settings, provider), database, {})
        wait = servers.await_guest(ctx, DOING)
    assert wait == Wait(5 if connected else 1, reason)
