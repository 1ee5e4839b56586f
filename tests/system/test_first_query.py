"""What a new user does: ask for a database, use it, break it a little, take it away."""

from __future__ import annotations

import dataclasses
import json
import re
import socket
import ssl
from pathlib import Path

import pytest
from owners import ENGINES, HELLO, Owner

from argosy.guest import authority
from argosy.testing.connections import Door
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually


@pytest.mark.parametrize("engine", ENGINES)
def test_a_database_answers_over_verified_tls(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    assert owner.door(instance).ask(HELLO[engine]) in {"1", "PONG"}
    assert set(instance["guarantees"]) >= {"volume-size", "memory-limit", "cpu-limit", "isolation"}


@pytest.mark.parametrize("engine", ENGINES)
def test_plaintext_is_refused(owner: Owner, engine: str) -> None:
    door = owner.door(owner.ready(engine))
    assert door.ask(HELLO[engine]) in {"1", "PONG"}
    with pytest.raises(Exception, match=r"(?i)ssl|tls|encrypt|secure|closed|reset|pg_hba|denied"):
        dataclasses.replace(door, authority="").ask(HELLO[engine])


@pytest.mark.parametrize("engine", ENGINES)
def test_another_authority_is_not_believed(owner: Owner, engine: str, tmp_path: Path) -> None:
    authority.make(tmp_path)
    door = owner.door(owner.ready(engine))
    with pytest.raises(Exception, match=r"(?i)certificate verify failed"):
        dataclasses.replace(door, authority=authority.load(tmp_path).pem).ask(HELLO[engine])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_new_password_of_the_master_user_is_good_and_the_old_one_is_not(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    fresh = owner.client.instances.reset_password(instance["id"])
    assert owner.door(instance, password=fresh).ask(HELLO[engine]) in {"1", "PONG"}
    with pytest.raises(Exception, match=r"(?i)password|denied|wrongpass"):
        owner.door(instance).ask(HELLO[engine])


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_databases_and_users_of_the_request_are_there(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine, database="shop", user="clerk", password="to-the-till-7")
    door = owner.door(instance, password="to-the-till-7", user="clerk", database="shop")
    door.ask("CREATE TABLE sale (id int)")
    assert door.ask("SELECT count(*) FROM sale") == "0"


@pytest.mark.parametrize("engine", ENGINES)
def test_restart_ends_well_and_data_stay(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine, **({} if engine == "redis" else {"database": "shop"}))
    door = owner.door(instance, database="" if engine == "redis" else "shop")
    write, read = (
        ("SET kept 42", "GET kept") if engine == "redis" else ("CREATE TABLE t AS SELECT 42 AS it", "SELECT it FROM t")
    )
    door.ask(write)
    owner.client.instances.restart(instance["id"])
    assert owner.client.instances.get(instance["id"])["status"] == "REBOOT"
    assert owner.ended(instance["id"])["state"] == "done"
    owner.healthy(instance["id"])
    assert door.ask(read) == "42"


@pytest.mark.usefixtures("owner")
def test_the_command_line_goes_the_whole_way(argosy: Deployment) -> None:
    argosy.cli("db", "create", "c1", "--engine", "redis", "--flavor", "1", "--size", "1")
    (listed,) = json.loads(argosy.cli("db", "list", "-o", "json").stdout)
    assert listed["name"] == "c1"
    assert argosy.cli("db", "shell", "c1", "-c", "PING").stdout.strip() == "PONG"
    assert argosy.cli("db", "url", "c1").stdout.startswith("rediss://root:")
    assert ":@" not in argosy.cli("db", "url", "c1", "--no-password").stdout
    argosy.cli("db", "restart", "c1")
    argosy.cli("db", "password", "c1", "--reset")
    assert argosy.cli("db", "shell", "c1", "-c", "PING").stdout.strip() == "PONG"
    argosy.cli("db", "delete", "c1", "--yes")
    assert argosy.cli("db", "show", "c1", check=False).returncode == 3


def test_a_flavor_is_enforced(owner: Owner) -> None:
    """A server cannot be had to take more memory than was paid for."""
    door = owner.door(owner.ready("redis", flavor="1"))
    limit = int(_info(door, "maxmemory"))
    assert 0 < limit < 256 << 20


def _info(door: Door, name: str) -> str:
    trust = ssl.create_default_context(cadata=door.authority)
    with (
        socket.create_connection((door.host, door.port), 10) as plain,
        trust.wrap_socket(plain, server_hostname=door.host) as session,
    ):
        session.sendall(f"AUTH {door.user} {door.password}\r\nINFO memory\r\nQUIT\r\n".encode())
        text = b"".join(iter(lambda: session.recv(65536), b"")).decode()
    found = re.search(rf"^{name}:(\d+)", text, re.MULTILINE)
    assert found, text
    return found[1]


def test_stopping_argosy_stops_no_database(argosy: Deployment, owner: Owner) -> None:
    instance = owner.ready("redis")
    door = owner.door(instance)
    door.ask("SET kept 42")
    argosy.down()
    assert door.ask("GET kept") == "42"
    argosy.up()
    eventually(lambda: owner.client.instances.get(instance["id"])["operating_status"] == "HEALTHY")
    assert door.ask("GET kept") == "42"
