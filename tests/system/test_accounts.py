"""Users who come and go on real servers, by the API: what is listed is so, and who was shut out stays out."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from owners import ENGINES, Owner
from sqlalchemy import select
from strikes import CONTROL, settled, struck
from test_kills import SEED

from argosy import errors
from argosy.client.accounts import Accounts
from argosy.client.resources import Document
from argosy.db.tables import Run
from argosy.testing.clients import CLIENTS, Login, Refused, Tenant
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

KIND = {"postgresql": "postgresql", "mariadb": "mysql", "redis": "redis"}
VICTIMS = (*CONTROL, "agent", "engine")


def login(owner: Owner, instance: Document, user: str, password: str, database: str = "") -> Login:
    at = owner.door(instance, user=user, password=password, database=database)
    return Login(at.host, at.port, user, password, at.authority, database)


def enters(engine: str, who: Login) -> bool:
    try:
        CLIENTS[KIND[engine]](who).close()
    except Refused:
        return False
    return True


@contextmanager
def writing(tenant: Tenant) -> Iterator[list[str]]:
    """Somebody who writes all the time; what was acknowledged."""
    done: list[str] = []
    over = threading.Event()
    faults: list[Exception] = []

    def write() -> None:
        try:
            while not over.wait(0.002):
                tenant.write(f"row-{len(done)}", "written")
                done.append(f"row-{len(done)}")
        except Refused as refused:
            faults.append(refused)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()
    assert not faults


@pytest.mark.parametrize("engine", ENGINES)
def test_the_life_of_a_user_while_another_writes(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    accounts = Accounts(owner.client.session, instance["id"])
    home = "home" if engine != "redis" else ""
    if home:
        accounts.create_database(home)
        assert list(accounts.databases()) == [home]
    accounts.create_user("writer", "pw", [home] if home else [])
    tenant = CLIENTS[KIND[engine]](login(owner, instance, "writer", "pw", home))
    with writing(tenant) as written:
        accounts.create_user("joe", "first", [home] if home else [])
        assert [each["name"] for each in accounts.users()] == ["joe", "writer"]
        assert enters(engine, login(owner, instance, "joe", "first", home))
        accounts.update_user("joe", name="jim", password="second")
        assert not enters(engine, login(owner, instance, "joe", "first", home))
        assert enters(engine, login(owner, instance, "jim", "second", home))
        if home:
            accounts.revoke("jim", home)
            assert accounts.access("jim") == []
            assert not enters(engine, login(owner, instance, "jim", "second", home))
            accounts.grant("jim", [home])
            assert enters(engine, login(owner, instance, "jim", "second", home))
        accounts.delete_user("jim")
        assert not enters(engine, login(owner, instance, "jim", "second", home))
        with pytest.raises(errors.NotFound):
            accounts.user("jim")
    assert len(written) > 10
    assert [row for row in written if tenant.read(row) != "written"] == []
    tenant.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_master_is_disabled_and_comes_back(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    path = f"/instances/{instance['id']}/root"
    assert enters(engine, login(owner, instance, "root", owner.passwords[instance["id"]]))
    owner.client.session.delete(path)
    assert not enters(engine, login(owner, instance, "root", owner.passwords[instance["id"]]))
    assert owner.client.session.get(path) == {"rootEnabled": False}
    with pytest.raises(errors.NotFound):
        owner.client.session.delete(path)
    password = owner.client.instances.reset_password(instance["id"])
    assert enters(engine, login(owner, instance, "root", password))


@pytest.mark.parametrize("victim", random.Random(SEED).sample(VICTIMS, 3))
def test_killed_while_a_user_is_made(argosy: Deployment, owner: Owner, victim: str) -> None:
    print(f"ARGOSY_SEED={SEED}")
    engine = random.Random(SEED).choice(ENGINES)
    instance = owner.ready(engine)
    accounts = Accounts(owner.client.session, instance["id"])

    def begun() -> bool:
        asked = select(Run.id).where(Run.workflow == "create_users", Run.subject == instance["id"])
        with argosy.database.read() as session:
            return session.scalar(asked) is not None

    with struck(argosy, owner, "create_users", "guest", victim):
        owner.insist(lambda: accounts.create_user("joe", "pw"), begun)
        assert settled(owner, instance["id"]) == "done"
    owner.healthy(instance["id"])
    eventually(lambda: owner.reaches(lambda: accounts.user("joe")), within=60)
    own = login(owner, instance, "joe", "pw")
    assert engine == "postgresql" or enters(engine, own)
