from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy import errors
from argosy.db import quotas
from argosy.db.session import Database
from argosy.db.tables import Quota, Table
from argosy.settings import Limits, Settings


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/control.db")
    Table.metadata.create_all(database.engine)
    return database


def settings(**limits: int) -> Settings:
    return Settings(Path("/nowhere"), limits=Limits(**limits))


def in_use(database: Database, project: str = "p") -> dict[str, int]:
    with database.read() as session:
        return {each.resource: each.in_use for each in quotas.report(session, settings(), project)}


def test_what_is_reserved_is_reported(database: Database) -> None:
    with database.write() as session:
        quotas.reserve(session, settings(), "p", instances=1, volumes=5, ram=256)
    assert in_use(database) == {"instances": 1, "backups": 0, "volumes": 5, "ram": 256}


def test_the_message_names_all_that_is_short_in_troves_words(database: Database) -> None:
    with pytest.raises(errors.OverQuota) as raised, database.write() as session:
        quotas.reserve(session, settings(instances=0, volumes=4), "p", instances=1, volumes=5, ram=1)
    assert raised.value.message == "Quota exceeded for resources: ['instances', 'volumes']."


def test_a_refused_request_holds_nothing(database: Database) -> None:
    with pytest.raises(errors.OverQuota), database.write() as session:
        quotas.reserve(session, settings(volumes=4), "p", instances=1, volumes=5)
    assert in_use(database)["instances"] == 0


def test_a_project_may_have_a_limit_of_its_own(database: Database) -> None:
    with database.write() as session:
        session.add(Quota(project_id="p", resource="instances", hard_limit=1))
    with database.write() as session:
        quotas.reserve(session, settings(), "p", instances=1)
    with pytest.raises(errors.OverQuota), database.write() as session:
        quotas.reserve(session, settings(), "p", instances=1)
    with database.write() as session:
        quotas.reserve(session, settings(), "other", instances=1)


def test_released_twice_is_never_below_zero(database: Database) -> None:
    with database.write() as session:
        quotas.reserve(session, settings(), "p", instances=1)
    for _ in range(2):
        with database.write() as session:
            quotas.release(session, "p", instances=1)
    assert in_use(database)["instances"] == 0


def test_of_many_at_once_exactly_the_limit_is_granted(database: Database) -> None:
    def attempt(_: int) -> bool:
        try:
            with database.write() as session:
                quotas.reserve(session, settings(instances=7), "p", instances=1)
        except errors.OverQuota:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(30))) == 7
    assert in_use(database)["instances"] == 7
