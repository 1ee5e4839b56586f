"""XML: the same as JSON in the words of 2013."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest
from calling import As, Ready
from defusedxml.ElementTree import fromstring

from argosy.api import xml

NAMESPACE = "{http://docs.openstack.org/database/api/v1.0}"
XML = {"Accept": "application/xml"}
SENT = {"Content-Type": "application/xml"}


def tree(answer: Any) -> Element:
    assert answer.headers["content-type"] == "application/xml"
    return fromstring(answer.content)


def told(element: Element, like: Any) -> Any:
    """The element as JSON, in the shape of `like`, which tells lists from objects and numbers from words."""
    if isinstance(like, dict):
        children = {child.tag.removeprefix(NAMESPACE): child for child in element}
        nulls = {key for key, value in like.items() if value is None}  # an attribute has no null: it is left out
        assert set(like) - nulls <= set(element.attrib) | set(children) <= set(like)
        return {key: value_of(element, children.get(key), key, value) for key, value in like.items()}
    if isinstance(like, list):
        assert len(element) == len(like)
        return [told(child, each) for child, each in zip(element, like, strict=True)]
    return plain(element.text, like)


def value_of(element: Element, child: Element | None, key: str, like: Any) -> Any:
    return plain(element.attrib.get(key), like) if child is None else told(child, like)


def plain(text: str | None, like: Any) -> Any:
    if like is None or like == "":
        return like if text is None else text
    return {"true": True, "false": False}[str(text)] if isinstance(like, bool) else type(like)(text)


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/instances/{id}", "instance"),
        ("/flavors/2", "flavor"),
        ("/flavors", "flavors"),
        ("/datastores", "datastores"),
        ("/datastores/postgresql", "datastore"),
        ("/datastores/postgresql/versions", "versions"),
        ("/datastores/postgresql/versions/15", "version"),
        ("/instances", "instances"),
        ("/instances/detail", "instances"),
        ("//", "versions"),
    ],
)
def test_xml_says_what_json_says(ready: Ready, member: As, path: str, root: str) -> None:
    path = path.replace("{id}", ready())
    whole = tree(member("GET", path, headers=XML))
    assert whole.tag == NAMESPACE + root
    ((name, value),) = member.get(path).items()
    assert name == root
    assert told(whole, value) == value


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/flavors", "application/xml"),
        ("/flavors", "application/vnd.openstack.trove+xml"),
        ("/flavors", "text/html;q=0.5, application/xml"),
        ("/flavors.xml", "application/json"),
        ("/flavors.xml", "*/*"),
    ],
)
def test_who_asks_for_xml(member: As, path: str, accept: str) -> None:
    assert tree(member("GET", path, headers={"Accept": accept})).tag == f"{NAMESPACE}flavors"


def test_json_where_it_is_liked_better(member: As) -> None:
    accept = {"Accept": "application/xml;q=0.5, application/json"}
    assert member("GET", "/flavors", headers=accept).headers["content-type"] == "application/json"


def test_an_instance_as_trove_wrote_it(ready: Ready, member: As) -> None:
    instance = tree(member("GET", f"/instances/{ready()}", headers=XML))
    assert {"id", "name", "status", "created", "updated"} <= set(instance.attrib)
    flavor = instance.find(f"{NAMESPACE}flavor")
    assert flavor is not None
    assert flavor.attrib == {"id": "2"}
    links = instance.findall(f"{NAMESPACE}links/{NAMESPACE}link")
    assert [each.attrib["rel"] for each in links] == ["self", "bookmark"]
    volume = instance.find(f"{NAMESPACE}volume")
    assert volume is not None
    assert (volume.attrib["size"], volume.attrib["used"]) == ("2", "0.5")
    assert [each.text for each in instance.findall(f"{NAMESPACE}ip/{NAMESPACE}item")] == ["127.9.0.1"]


def test_paging_links_go_inside(ready: Ready, member: As) -> None:
    ready("m1")
    ready("m2")
    page = tree(member("GET", "/instances?limit=1", headers=XML))
    assert len(page.findall(f"{NAMESPACE}instance")) == 1
    (link,) = page.findall(f"{NAMESPACE}links/{NAMESPACE}link")
    assert link.attrib["rel"] == "next"
    assert page.find(f"{NAMESPACE}instances_links") is None


ORDER = """<?xml version="1.0"?>
<instance xmlns="http://docs.openstack.org/database/api/v1.0" name="m1" flavorRef="http://h/flavors/2">
  <volume size="3"/>
  <datastore> <type> postgresql </type> <version>15</version> </datastore>
  <databases><database name="app" character_set="utf8"/></databases>
  <users><user name="joe" password="pw"><databases><database name="app"/></databases></user></users>
</instance>"""


def test_create_by_xml(member: As) -> None:
    made = tree(member("POST", "/instances", ORDER.encode(), headers={**XML, **SENT}))
    assert (made.attrib["name"], made.attrib["status"]) == ("m1", "BUILD")
    assert member.get(f"/instances/{made.attrib['id']}")["instance"]["volume"] == {"size": 3}


@pytest.mark.parametrize(
    "body", [b"<restart/>", b'<restart xmlns="http://docs.openstack.org/database/api/v1.0"></restart>']
)
def test_restart_by_xml(ready: Ready, member: As, body: bytes) -> None:
    answer = member("POST", f"/instances/{ready()}/action", body, headers=SENT)
    assert (answer.status_code, answer.content) == (202, b"")


def test_faults(member: As) -> None:
    fault = tree(member("GET", "/instances/x", headers=XML))
    assert (fault.tag, fault.attrib) == (f"{NAMESPACE}itemNotFound", {"code": "404"})
    (message,) = fault
    assert (message.tag, message.text) == (f"{NAMESPACE}message", "Resource x cannot be found.")
    assert tree(As(member.client, "blue", "")("GET", "/nothing", headers=XML)).tag == f"{NAMESPACE}unauthorized"
    assert tree(member("GET", "/nothing", headers=XML)).tag == f"{NAMESPACE}itemNotFound"


def test_over_limit_has_two_attributes() -> None:
    document = xml.write({"overLimit": {"code": 413, "message": "m", "details": "d", "retryAfter": "7"}})
    fault = fromstring(document)
    assert fault.attrib == {"code": "413", "retryAfter": "7"}


@pytest.mark.parametrize("name", ["a&b<c>\"'", "é 数", "tab", "nul\x00bell\x07"])
def test_what_xml_cannot_carry_is_left_out(name: str) -> None:
    document = fromstring(xml.write({"instance": {"name": name, "note": name}}))
    (note,) = document
    assert document.attrib["name"] == note.text == name.replace("\x00", "").replace("\x07", "")


ACTIONS = {
    "restart": b"<restart/>",
    "resize_volume": b'<resize xmlns="http://docs.openstack.org/database/api/v1.0"><volume size="3"/></resize>',
    "resize_flavor": b"<resize><flavorRef>3</flavorRef></resize>",
}


@pytest.mark.parametrize("body", ACTIONS.values(), ids=ACTIONS)
def test_actions(ready: Ready, member: As, body: bytes) -> None:
    answer = member("POST", f"/instances/{ready()}/action", body, headers=SENT)
    assert (answer.status_code, answer.content) == (202, b"")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_rename(ready: Ready, member: As, method: str) -> None:
    instance_id = ready()
    sent = b'<instance xmlns="http://docs.openstack.org/database/api/v1.0" name="12"/>'
    assert member(method, f"/instances/{instance_id}", sent, headers=SENT).status_code == 202
    assert member.get(f"/instances/{instance_id}")["instance"]["name"] == "12"


CONFIGURATION = b"""<configuration name="c" description="d">
  <values><work_mem>8192</work_mem><wal_level>logical</wal_level></values>
  <datastore type="postgresql" version="15"/>
</configuration>"""


def test_configurations(member: As) -> None:
    """Numbers and booleans are told from words by how they look: the schema allows all of them."""
    made = tree(member("POST", "/configurations", CONFIGURATION, headers={**XML, **SENT}))
    seen = member.get(f"/configurations/{made.attrib['id']}")["configuration"]
    assert (seen["name"], seen["description"]) == ("c", "d")
    assert seen["values"] == {"work_mem": 8192, "wal_level": "logical"}
    more = b"<configuration><values><work_mem>9000</work_mem></values></configuration>"
    assert member("PATCH", f"/configurations/{seen['id']}", more, headers=SENT).status_code == 200
    assert member.get(f"/configurations/{seen['id']}")["configuration"]["values"]["work_mem"] == 9000


def test_what_administrators_send(admin: As) -> None:
    limits = b'<quotas instances="5"><volumes>-1</volumes></quotas>'
    answer = tree(admin("PUT", "/mgmt/quotas/blue", limits, headers={**XML, **SENT}))
    assert (answer.attrib["instances"], answer.attrib["volumes"]) == ("5", "-1")
    version = admin.get("/mgmt/datastore-versions")["versions"][0]["id"]
    menu = b"<resource><flavors><flavor>2</flavor><flavor>6.1</flavor></flavors></resource>"
    answer = tree(admin("PUT", f"/mgmt/datastore-versions/{version}/flavors", menu, headers={**XML, **SENT}))
    assert [each.text for each in answer] == ["2", "6.1"]
    off = b'<version active="false"><image_tags><image_tag>a</image_tag></image_tags></version>'
    assert admin("PATCH", f"/mgmt/datastore-versions/{version}", off, headers=SENT).status_code == 202
    seen = admin.get(f"/mgmt/datastore-versions/{version}")["version"]
    assert (seen["active"], seen["image_tags"]) == (False, ["a"])


def test_backup_strategy(member: As) -> None:
    sent = b"<backup_strategy><swift_container>7</swift_container></backup_strategy>"
    made = tree(member("POST", "/backup_strategies", sent, headers={**XML, **SENT}))
    assert {child.tag.removeprefix(NAMESPACE): child.text or "" for child in made}["swift_container"] == "7"


def test_a_backup_and_what_begins_as_one(ready: Ready, member: As) -> None:
    sent = f"<backup><name>7</name><instance>{ready()}</instance><incremental>0</incremental></backup>".encode()
    made = tree(member("POST", "/backups", sent, headers={**XML, **SENT}))
    told = {**made.attrib, **{child.tag.removeprefix(NAMESPACE): child.text for child in made}}
    assert (told["name"], told["status"]) == ("7", "NEW")
    point = f'<volume size="3"/><restorePoint backupRef="{told["id"]}"/>'
    assert '<volume size="3"/>' in ORDER
    restored = member("POST", "/instances", ORDER.replace('<volume size="3"/>', point).encode(), headers=SENT)
    assert (restored.status_code, "not complete" in restored.text) == (409, True)


def test_a_key_that_is_no_elements_name() -> None:
    assert fromstring(xml.write({"tags": {"a b": "c", "xml": "d"}}))[0].attrib == {"key": "a b"}


def test_a_body_without_a_key_around_it() -> None:
    root = fromstring(xml.write({"name": "max_connections", "min": 1}))
    assert (root.tag, [child.tag for child in root]) == (
        f"{NAMESPACE}resource",
        [f"{NAMESPACE}name", f"{NAMESPACE}min"],
    )
