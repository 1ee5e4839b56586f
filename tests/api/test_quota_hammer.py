"""What a project is said to hold is what its rows say, however many create, fail and delete at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from calling import As, order
from judging import Client
from sqlalchemy import func, select

from argosy.api import main
from argosy.db import quotas
from argosy.db.session import Database
from argosy.db.tables import Instance
from argosy.identity.local.identity import LocalIdentity
from argosy.settings import Limits, Settings
from argosy.testing import databases
from argosy.testing.databases import Server

THREADS, ROUNDS = 6, 12
LIMITS = Limits(instances=12, volumes=30, requests_per_minute=1_000_000)
"""Few enough that many requests are refused, some for one resource only."""
FLAVORS = {"1", "2", "3"}


@pytest.fixture(scope="module", params=databases.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with databases.serve(request.param) as server:
        yield server


@pytest.fixture
def crowd(settings: Settings, database: Database, member: As) -> As:
    app = main.make_app(replace(settings, limits=LIMITS), database, LocalIdentity(database))
    return replace(member, client=Client(app))


def said(database: Database, settings: Settings) -> dict[str, int]:
    with database.read() as session:
        return {each.resource: each.in_use for each in quotas.report(session, settings, "blue")}


def counted(database: Database) -> dict[str, int]:
    """From the rows themselves: what is being deleted holds nothing."""
    held = (Instance.project_id == "blue") & Instance.quota_held
    sums = (func.count(), func.coalesce(func.sum(Instance.gigabytes), 0), func.coalesce(func.sum(Instance.ram), 0))
    with database.read() as session:
        many, gigabytes, ram = session.execute(select(*sums).where(held)).one()
    return {"instances": int(many), "volumes": int(gigabytes), "ram": int(ram), "backups": 0}


def live(who: As, made: list[str], seed: int) -> list[int]:
    """Create, ask for what cannot be had, delete what anybody made, also twice at once. The statuses."""
    chance, told = random.Random(seed), []
    for _ in range(ROUNDS):
        size, flavor = chance.randint(1, 9), chance.choice(sorted(FLAVORS))
        answer = who("POST", "/instances", order(volume={"size": size}, flavorRef=flavor))
        told.append(answer.status_code)
        if answer.status_code == 200:
            made.append(answer.json["instance"]["id"])
        told.append(who("POST", "/instances", order(volume={"size": 31})).status_code)
        some = chance.sample(made, k=min(len(made), 2))
        told += [who("DELETE", f"/instances/{instance_id}").status_code for instance_id in some]
    return told


def test_nothing_is_leaked(crowd: As, settings: Settings, database: Database) -> None:
    made: list[str] = []
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = {
            status for told in pool.map(lambda seed: live(crowd, made, seed), range(THREADS)) for status in told
        }
    assert statuses == {200, 202, 413}
    assert said(database, settings) == counted(database)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda instance_id: crowd("DELETE", f"/instances/{instance_id}"), made * 2))
    assert said(database, settings) == counted(database) == dict.fromkeys(quotas.RESOURCES, 0)
