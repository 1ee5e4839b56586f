"""What people learned from Trove's training material, word for word: the same commands, and the rows that they know."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest
from defusedxml.ElementTree import fromstring
from public_clients import Clients

from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

NETWORK = "8b9a5d70-5a5e-4d1c-8c3b-2f4f0a3f6a11"
PROPERTIES = {"created", "datastore", "datastore_version", "flavor", "id", "name", "status", "updated", "volume"}
SHOWN = PROPERTIES | {"ip", "volume_used"}
KEYSTONE = "{http://docs.openstack.org/identity/api/v2.0}"
TROVE = "{http://docs.openstack.org/database/api/v1.0}"
Table = list[list[str]]
Trove = Callable[[str], Table]


@pytest.fixture(scope="module")
def trove(demo: Clients) -> Trove:
    """One line of a transcript; what it prints as a table."""
    return lambda line: demo.trove(*line.split())


@pytest.fixture(scope="module")
def m2(trove: Trove) -> Iterator[str]:
    """The instance of most transcripts, with two databases and two users."""
    made = pairs(trove("create m2 2 --size 3 --datastore mysql --databases a b --users u1:p1 u2:p2"))
    eventually(lambda: status(trove, "m2") == "ACTIVE", within=90, every=0.3)
    yield made["id"]
    trove("delete m2")
    eventually(lambda: "m2" not in names(trove), within=60, every=0.3)


def test_datastores_and_their_versions(trove: Trove) -> None:
    datastores = trove("datastore-list")
    assert datastores[0] == ["ID", "Name"]
    assert "mysql" in [name for _, name in datastores[1:]]
    versions = trove("datastore-version-list mysql")
    assert versions[0] == ["ID", "Name"]
    assert versions[1][1].startswith("10.11")


def test_a_datastore_and_its_version_by_their_names(trove: Trove) -> None:
    made = pairs(trove("create m1 2 --size 3 --datastore mysql --datastore_version 10.11"))
    assert set(made) >= PROPERTIES
    told = (made["name"], made["flavor"], made["volume"], made["datastore"], made["status"])
    assert told == ("m1", "2", "3", "mysql", "BUILD")
    removed(trove, "m1")


def test_a_datastore_and_its_version_by_their_ids(trove: Trove) -> None:
    store = {name: each for each, name in trove("datastore-list")}["mysql"]
    version = trove("datastore-version-list mysql")[1][0]
    where = f"--nic net-id={NETWORK} --size 20 --availability_zone az01"
    made = pairs(trove(f"create m1 6.1 --datastore {store} --datastore_version {version} {where}"))
    assert set(made) >= PROPERTIES
    assert (made["flavor"], made["volume"], made["datastore"]) == ("6.1", "20", "mysql")
    removed(trove, "m1")


def test_show_and_list(trove: Trove, m2: str) -> None:
    shown = pairs(trove("show m2"))
    assert set(shown) >= SHOWN
    assert (shown["id"], shown["datastore"], shown["status"]) == (m2, "mysql", "ACTIVE")
    listed = trove("list")
    assert listed[0][:7] == ["ID", "Name", "Datastore", "Datastore Version", "Status", "Flavor ID", "Size"]
    assert [m2, "m2", "mysql", "ACTIVE", "2", "3"] in [[*row[:3], *row[4:7]] for row in listed[1:]]


def test_what_debug_shows_of_a_list(demo: Clients, m2: str) -> None:
    ended = demo.said("trove", "--debug", "list")
    assert ended.status == 0
    assert m2 in ended.out
    assert "REQ: curl" in ended.err
    assert f'"id":"{m2}"' in ended.err.replace(" ", "")


@pytest.mark.usefixtures("m2")
def test_databases_and_users(trove: Trove) -> None:
    assert trove("database-list m2") == [["Name"], ["a"], ["b"]]
    assert trove("user-list m2")[0] == ["Name", "Host", "Databases"]
    trove("user-create m2 u3 p3 --databases a b")
    eventually(lambda: ["u3", "%", "a, b"] in trove("user-list m2"), within=20)
    trove("user-delete m2 u3")
    eventually(lambda: [row[0] for row in trove("user-list m2")] == ["Name", "u1", "u2"], within=20)


@pytest.mark.parametrize(
    ("line", "busy", "name", "value"),
    [
        ("restart m2", "REBOOT", "status", "ACTIVE"),
        ("resize-volume m2 4", "RESIZE", "volume", "4"),
        ("resize-instance m2 3", "RESIZE", "flavor", "3"),
    ],
)
def test_what_takes_a_while(trove: Trove, m2: str, line: str, busy: str, name: str, value: str) -> None:
    trove(line)
    assert status(trove, m2) in (busy, "ACTIVE")
    eventually(lambda: status(trove, "m2") == "ACTIVE", within=60, every=0.3)
    assert pairs(trove("show m2"))[name] == value


def test_the_raw_exchange(argosy: Deployment) -> None:
    login = argosy.login("demo@demo")
    asked = {"passwordCredentials": {"username": login.username, "password": login.password}, "tenantName": "demo"}
    told = curl(f"{version_2(argosy)}/tokens", "Content-Type: application/json", data=json.dumps({"auth": asked}))
    access = json.loads(told)["access"]
    tenant, token = access["token"]["tenant"]["id"], access["token"]["id"]
    found = curl(f"{api(argosy)}/v1.0/{tenant}/datastores", f"X-Auth-Token: {token}", "Accept: application/json")
    assert "mysql" in [each["name"] for each in json.loads(found)["datastores"]]


def test_the_raw_exchange_in_xml(argosy: Deployment) -> None:
    login = argosy.login("demo@demo")
    credentials = f'<passwordCredentials username="{login.username}" password="{login.password}"/>'
    told = curl(
        f"{version_2(argosy)}/tokens",
        "Content-Type: application/xml",
        "Accept: application/xml",
        data=f'<auth xmlns="{KEYSTONE[1:-1]}" tenantName="demo">{credentials}</auth>',
    )
    token = fromstring(told).find(f"{KEYSTONE}token")
    tenant = token.find(f"{KEYSTONE}tenant").get("id")
    url = f"{api(argosy)}/v1.0/{tenant}/datastores"
    found = fromstring(curl(url, f"X-Auth-Token: {token.get('id')}", "Accept: application/xml"))
    assert found.tag == f"{TROVE}datastores"
    assert "mysql" in [each.findtext(f"{TROVE}name") for each in found.iter(f"{TROVE}datastore")]


def pairs(rows: Table) -> dict[str, str]:
    assert rows[0] == ["Property", "Value"]
    return {row[0]: row[1] for row in rows[1:]}


def status(trove: Trove, name: str) -> str:
    told = pairs(trove(f"show {name}"))["status"]
    assert told != "ERROR"
    return told


def names(trove: Trove) -> list[str]:
    return [row[1] for row in trove("list")[1:]]


def removed(trove: Trove, name: str) -> None:
    """Once it is there: Trove deletes nothing that is being built."""
    eventually(lambda: status(trove, name) == "ACTIVE", within=90, every=0.3)
    trove(f"delete {name}")
    eventually(lambda: name not in names(trove), within=60, every=0.3)


def curl(url: str, *headers: str, data: str = "") -> str:
    """What the program prints."""
    command = ["curl", "--silent", "--show-error", "--fail", url, *(part for each in headers for part in ("-H", each))]
    return subprocess.check_output([*command, *(("-d", data) if data else ())], text=True)


def version_2(argosy: Deployment) -> str:
    return argosy.login("demo@demo").auth_url.removesuffix("/v3") + "/v2.0"


def api(argosy: Deployment) -> str:
    return f"http://127.0.0.1:{argosy.settings.api.port}"
