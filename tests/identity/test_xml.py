"""Version 2.0 in XML, as clients of 2013 ask for it."""

from __future__ import annotations

from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

import pytest
from defusedxml.ElementTree import fromstring
from identity_client import Answer, Service

KEYSTONE = "{http://docs.openstack.org/identity/api/v2.0}"
XML = {"Content_Type": "application/xml", "Accept": "application/xml"}


def _log_in(service: Service, password: str) -> Answer:
    told = f"<passwordCredentials username='demo' password={quoteattr(password)}/>"
    body = f"<auth xmlns='{KEYSTONE[1:-1]}' tenantName='demo'>{told}</auth>"
    return service.ask("POST", "/v2.0/tokens", body.encode(), **XML)


def _found(root: Element, path: str) -> Element:
    found = root.find("/".join(f"{KEYSTONE}{name}" for name in path.split("/")))
    assert found is not None, path
    return found


def test_a_token_and_its_catalog(service: Service) -> None:
    answer = _log_in(service, service.passwords["demo"])
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/xml")
    access = fromstring(answer.text)
    assert access.tag == f"{KEYSTONE}access"
    token = _found(access, "token")
    assert service.valid(token.get("id"))
    assert _found(token, "tenant").get("name") == "demo"
    urls = {each.get("type"): _found(each, "endpoint").get("publicURL") for each in access.iter(f"{KEYSTONE}service")}
    assert urls["database"] == f"http://127.0.0.1:8779/v1.0/{_found(token, 'tenant').get('id')}"
    roles = {each.get("name") for each in access.iter(f"{KEYSTONE}role")}
    assert "member" in roles


def test_what_is_wrong_is_said_in_xml(service: Service) -> None:
    answer = _log_in(service, "wrong <&>")
    error = fromstring(answer.text)
    assert (answer.status, error.tag, error.get("code")) == (401, f"{KEYSTONE}error", "401")
    assert _found(error, "message").text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json;q=0.9, application/xml;q=0.1"])
def test_json_for_whoever_does_not_like_xml_better(service: Service, accept: str) -> None:
    told = {"passwordCredentials": {"username": "demo", "password": service.passwords["demo"]}}
    answer = service.ask("POST", "/v2.0/tokens", {"auth": told}, Accept=accept)
    assert answer.body["access"]["user"]["name"] == "demo"


@pytest.mark.parametrize(
    "body",
    [
        b"<auth",
        b"<auth><passwordCredentials/></auth>",
        b"<other/>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><auth>&b;</auth>",
        b"<a>" * 200 + b"</a>" * 200,
    ],
)
def test_bad_xml_is_refused(service: Service, body: bytes) -> None:
    assert service.ask("POST", "/v2.0/tokens", body, **XML).status == 400
