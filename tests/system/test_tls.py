"""TLS as its users meet it: renewed under their feet, demanded of them, brought by them, and its authority rotated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from owners import ENGINES, HELLO, Owner

from argosy import errors
from argosy.client.resources import Document
from argosy.db import sealed
from argosy.db.tables import Run
from argosy.guest import authority
from argosy.testing.clients import CLIENTS, Login, Refused
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

DRIVERS = {"mariadb": "mysql"}
RENEWALS = 3
BETWEEN = 5
"""queries at least between two renewals"""


def ssl(owner: Owner, instance: Document) -> Document:
    told: Document = owner.client.session.get(f"/instances/{instance['id']}/ssl", include_certificate="true")["ssl"]
    return told


def change(owner: Owner, instance: Document, **body: Any) -> Document:
    told: Document = owner.client.session.post(f"/instances/{instance['id']}/ssl", {"ssl": body})["ssl"]
    return told


@contextmanager
def coming_and_going(ask: Callable[[], object]) -> Iterator[list[str]]:
    """Somebody who connects, asks and leaves all the time; what went wrong each time, empty where nothing did."""
    seen: list[str] = []
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            try:
                ask()
                seen.append("")
            except Exception as error:  # noqa: BLE001 - whatever a driver raises is what its user sees
                seen.append(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("engine", ENGINES)
def test_nobody_notices_a_renewal(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine, flavor="1")
    door, before = owner.door(instance), ssl(owner, instance)["certificate"]["payload"]
    with coming_and_going(lambda: door.ask(HELLO[engine])) as seen:
        for _ in range(RENEWALS):
            enough = len(seen) + BETWEEN
            change(owner, instance, enable=True, mode="enforced", container_ref="builtin")
            eventually(lambda enough=enough: len(seen) >= enough)  # type: ignore[misc]
    assert not [each for each in seen if each]
    assert ssl(owner, instance)["certificate"]["payload"] != before


@pytest.mark.parametrize("engine", ENGINES)
def test_clients_show_a_certificate_where_they_must_and_not_after_going_back(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine, flavor="1")
    assert change(owner, instance, enable=True, mode="mtls", container_ref="builtin")["mode"] == "mtls"
    made = owner.client.session.post(f"/instances/{instance['id']}/ssl/clients", {"client": {"name": "app"}})["client"]
    assert comes_in(owner, instance, engine, made["private_key"] + made["certificate"])
    assert not comes_in(owner, instance, engine)
    assert change(owner, instance, rollback=True)["mode"] == "enforced"
    assert comes_in(owner, instance, engine)


def comes_in(owner: Owner, instance: Document, engine: str, pair: str = "", trusted: str = "") -> bool:
    endpoint, password = instance["endpoints"][0], owner.passwords[instance["id"]]
    trusted = trusted or owner.client.session.authority()
    login = Login(endpoint["host"], endpoint["port"], "root", password, trusted, pair=pair)
    try:
        tenant = CLIENTS[DRIVERS.get(engine, engine)](login)
        tenant.run(HELLO[engine])
        tenant.close()
    except Refused:
        return False
    return True


def test_a_certificate_of_ones_own(owner: Owner) -> None:
    instance = owner.ready("postgresql", flavor="1")
    theirs = authority.opened(authority.of_clients("Theirs"))
    issued = theirs.issue([instance["endpoints"][0]["host"]], 90)
    body = {"certificate": issued.certificate, "private_key": issued.private_key, "authority": theirs.pem}
    shown = change(owner, instance, enable=True, mode="enforced", **body)["certificate"]
    assert shown["brought"] is True
    assert ssl(owner, instance)["certificate"]["payload"] == issued.certificate
    assert comes_in(owner, instance, "postgresql", trusted=theirs.pem)
    assert not comes_in(owner, instance, "postgresql")
    assert change(owner, instance, rollback=True)["certificate"]["brought"] is False
    assert comes_in(owner, instance, "postgresql")


def test_plain_connections_where_they_are_allowed(owner: Owner) -> None:
    instance = owner.ready("redis", flavor="1", tls="basic")
    tls, plain = instance["endpoints"]
    assert (tls["scheme"], plain["scheme"]) == ("rediss", "redis")
    password = owner.passwords[instance["id"]]
    for endpoint, trusted in ((tls, owner.client.session.authority()), (plain, "")):
        tenant = CLIENTS["redis"](Login(endpoint["host"], endpoint["port"], "root", password, trusted))
        assert tenant.run("PING")
        tenant.close()


def test_the_authority_is_rotated_while_everything_is_used_and_killed(owner: Owner, argosy: Deployment) -> None:
    instances = [(engine, owner.ready(engine, engine, flavor="1")) for engine in ENGINES]
    session, before = owner.client.session, rotation(owner)["signing"]

    def ask() -> None:
        for engine, instance in instances:
            owner.door(instance).ask(HELLO[engine])

    session.post("/mgmt/authority", {"rotate": {"overlap_days": 1}})
    eventually(lambda: rotation(owner)["rotation"]["step"] == "overlap", within=60)
    both = session.authority()
    assert both.count("BEGIN CERTIFICATE") == 2
    hurry(argosy)
    doors = [(engine, owner.door(instance)) for engine, instance in instances]
    with coming_and_going(lambda: [door.ask(HELLO[engine]) for engine, door in doors]) as seen:
        for role in ("taskmanager", "conductor"):
            argosy.kill(role)
        eventually(lambda: settled(owner), within=180)
        enough = len(seen) + BETWEEN
        eventually(lambda: len(seen) >= enough)
    assert not [each for each in seen if each]
    assert rotation(owner)["signing"] != before
    assert session.authority().count("BEGIN CERTIFICATE") == 1
    ask()
    for _engine, instance in instances:
        owner.client.instances.restart(instance["id"])
        assert owner.ended(instance["id"])["state"] == "done"


def rotation(owner: Owner) -> Document:
    told: Document = owner.client.session.get("/mgmt/authority")["authority"]
    return told


def settled(owner: Owner) -> bool:
    try:
        told = rotation(owner)
    except errors.Unavailable:
        return False
    assert told["rotation"]["state"] == "done", told
    return bool(told["stage"] == "settled")


def hurry(argosy: Deployment) -> None:
    """The day is over."""
    sealed.use(argosy.settings.keys / "master.key")
    database = argosy.database
    with database.write() as session:
        run = session.query(Run).filter_by(workflow="rotate_authority", state="active").one()
        run.memory = {**run.memory, "until": 0.0}
        run.wake_at, run.wake_seq = 0.0, run.wake_seq + 1
    database.dispose()
