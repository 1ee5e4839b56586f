"""Versions side by side: PostgreSQL 17 from an engine root beside the host's 15, and MariaDB under MySQL's name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from owners import Owner

from argosy import errors
from argosy.client.resources import Document
from argosy.testing import servers
from argosy.testing.deployments import Deployment


@pytest.fixture(scope="module")
def argosy() -> Iterator[Deployment]:
    """With an engine root that is a link to where a wheel was unpacked."""
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    found = servers.require("postgresql", "17")
    servers.require("postgresql", "15")
    with (
        servers.engine_roots({"postgresql-17": found.root}) as engines,
        Deployment(level="root", provider={"engines": str(engines)}) as deployment,
    ):
        yield deployment


@pytest.mark.parametrize("major", ["15", "17"])
def test_each_version_answers_over_tls_and_tells_its_own(argosy: Deployment, owner: Owner, major: str) -> None:
    words = ("--engine", "postgresql", "--version", major, "--flavor", "1", "--size", "1")
    argosy.cli("db", "create", f"p{major}", *words)
    told = argosy.cli("db", "shell", f"p{major}", "-c", "SHOW server_version").stdout
    instance = json.loads(argosy.cli("db", "show", f"p{major}", "-o", "json").stdout)
    assert instance["datastore"]["version"].startswith(f"{major}.")
    assert instance["datastore"]["version"] in told
    owner.passwords[instance["id"]] = owner.client.instances.reset_password(instance["id"])
    door = owner.door(instance)
    assert door.ask("SHOW server_version").startswith(instance["datastore"]["version"])
    assert door.ask("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == "True"


def test_both_run_at_once_from_roots_of_their_own(owner: Owner) -> None:
    made = [owner.ready("postgresql", f"p{major}", version=major) for major in ("15", "17")]
    for instance in made:
        number = instance["datastore"]["version_number"]
        assert owner.door(instance).ask("SELECT current_setting('server_version')").startswith(number)


@pytest.mark.parametrize("form", ["prefix", "name", "id"])
def test_a_version_is_known_by_prefix_name_and_id(owner: Owner, form: str) -> None:
    (wanted,) = (each for each in versions(owner, "postgresql") if each["name"].startswith("17."))
    word = {"prefix": "17", "name": wanted["name"], "id": wanted["id"]}[form]
    assert owner.ready("postgresql", version=word)["datastore"]["version"] == wanted["name"]


@pytest.mark.parametrize("word", ["1", "16", "17.99"])
def test_a_version_that_is_not_here_is_refused(owner: Owner, word: str) -> None:
    with pytest.raises(errors.Rejected, match=r"(?i)version"):
        owner.create("postgresql", version=word)


def test_mysql_is_offered_by_mariadb_and_says_so(owner: Owner) -> None:
    servers.require("mysql")
    (offered,) = versions(owner, "mysql")
    assert offered["name"].endswith("-MariaDB")
    instance = owner.ready("mysql", database="shop")
    assert instance["datastore"] == {**instance["datastore"], "type": "mysql", "version": offered["name"]}
    door = owner.door(instance, database="shop")
    assert "MariaDB" in door.ask("SELECT version()")
    door.ask("CREATE TABLE sale (id int)")
    assert door.ask("SELECT count(*) FROM sale") == "0"


def versions(owner: Owner, datastore: str) -> list[Document]:
    return list(owner.client.session.get(f"/datastores/{datastore}/versions")["versions"])
