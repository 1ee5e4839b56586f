"""No operation is merged outside this table: its worker is lost at every point, and nobody can tell afterwards."""

from __future__ import annotations

import accounting
import archiving
import bringing
import complaining
import configuring
import copying
import drilling
import dropping
import excerpting
import expiring
import housekeeping
import lifecycle
import moduling
import opening
import publishing
import pytest
import quarantining
import resizing
import scheduling
import securing
import taking
import telling
import throwing
import undoing
import upgrading
import upkeep
from sampling import at_most
from scenario import Scenario
from sqlalchemy import select

from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.settings import Settings
from argosy.testing import crashes
from argosy.testing.databases import Server
from argosy.workflows.registry import WORKFLOWS

EVERY = (
    *housekeeping.EVERY,
    *lifecycle.EVERY,
    *accounting.EVERY,
    *archiving.EVERY,
    *complaining.EVERY,
    *expiring.EVERY,
    *excerpting.EVERY,
    *taking.EVERY,
    *bringing.EVERY,
    *dropping.EVERY,
    *configuring.EVERY,
    *drilling.EVERY,
    *copying.EVERY,
    *telling.EVERY,
    *throwing.EVERY,
    *publishing.EVERY,
    *quarantining.EVERY,
    *scheduling.EVERY,
    *moduling.EVERY,
    *opening.EVERY,
    *resizing.EVERY,
    *securing.EVERY,
    *undoing.EVERY,
    *upgrading.EVERY,
    *upkeep.EVERY,
)


POINTS = 12
"""At which the worker of one operation is lost; at all of them with ARGOSY_SOAK=1."""


@pytest.mark.parametrize("scenario", EVERY, ids=lambda each: each.__name__)
def test_lost_at_every_point(scenario: type[Scenario], server: Server, settings: Settings) -> None:
    assert crashes.every_point(lambda: scenario(settings), server, at_most(POINTS)) >= 4


def test_every_operation_is_in_the_table(server: Server, settings: Settings) -> None:
    """Run each scenario once and see which workflows took part."""
    seen: set[str] = set()
    for scenario in EVERY:
        seen |= _workflows(scenario(settings), server)
    assert seen == set(WORKFLOWS)


def _workflows(scenario: Scenario, server: Server) -> set[str]:
    seen: set[str] = set()
    check = scenario.check

    def look(database: Database) -> None:
        check(database)
        with database.read() as session:
            seen.update(session.scalars(select(Run.workflow)))

    scenario.check = look  # type: ignore[method-assign] # asked at the end of the history
    crashes.once(scenario, server)
    return seen
