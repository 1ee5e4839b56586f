"""Whatever is sent, the answer is a 4xx in Keystone's words, never a 5xx."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from itertools import product
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from identity_client import Answer, Service

NASTY = [
    *("", " ", "\x00", "a\x00b", "\ud800", "x" * 5000, "../../etc/passwd", "' or '1'='1", "%", "_", "☃", "\u202e"),
    *({}, [], 0, -1, 1e400, True, None, [[]], {"id": {}}, {"name": []}),
]

BODIES = [
    ("POST", "/v3/auth/tokens", lambda x: {"auth": x}),
    ("POST", "/v3/auth/tokens", lambda x: {"auth": {"identity": x}}),
    ("POST", "/v3/auth/tokens", lambda x: {"auth": {"identity": {"methods": x}}}),
    ("POST", "/v3/auth/tokens", lambda x: {"auth": {"identity": {"methods": ["password"], "password": x}}}),
    ("POST", "/v3/auth/tokens", lambda x: {"auth": {"identity": {"methods": ["password"], "password": {"user": x}}}}),
    ("POST", "/v3/auth/tokens", lambda x: _password({"name": x, "password": "x"})),
    ("POST", "/v3/auth/tokens", lambda x: _password({"id": x, "password": "x"})),
    ("POST", "/v3/auth/tokens", lambda x: _password({"name": "demo", "domain": x, "password": "x"})),
    ("POST", "/v3/auth/tokens", lambda x: {"auth": {"identity": {"methods": ["token"], "token": {"id": x}}}}),
    ("POST", "/v3/auth/tokens", lambda x: _credential({"id": x, "secret": x})),
    ("POST", "/v3/auth/tokens", lambda x: _credential({"name": x, "user": x, "secret": "x"})),
    ("POST", "/v2.0/tokens", lambda x: {"auth": x}),
    ("POST", "/v2.0/tokens", lambda x: {"auth": {"passwordCredentials": x}}),
    ("POST", "/v2.0/tokens", lambda x: {"auth": {"passwordCredentials": {"username": x, "password": x}}}),
    ("POST", "/v2.0/tokens", lambda x: {"auth": {"tenantName": x, "token": {"id": "y"}}}),
    ("POST", "/v3/users/{demo}/password", lambda x: {"user": {"original_password": x, "password": x}}),
]


def _password(user: Any) -> dict[str, Any]:
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}


def _credential(told: Any) -> dict[str, Any]:
    return {"auth": {"identity": {"methods": ["application_credential"], "application_credential": told}}}


def _refused(answer: Answer) -> None:
    assert 400 <= answer.status < 500, (answer.status, answer.text)
    error = answer.body["error"]
    assert error["code"] == answer.status
    assert error["title"]


@pytest.mark.parametrize(("method", "path", "made"), BODIES)
def test_nasty_logins(start: Callable[..., Service], method: str, path: str, made: Callable[[Any], Any]) -> None:
    service = start(logins_per_minute=1_000)
    path = path.format(demo=service.id_of("users", "demo"))
    for nasty in NASTY:
        _refused(service.ask(method, path, made(nasty)))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'"auth"',
        b"[" * 100_000,
        b'{"auth":' * 5_000,
        b"{}" + b" " * 200_000,
        b"NaN",
    ],
)
def test_what_is_not_json(service: Service, raw: bytes) -> None:
    for path in ("/v3/auth/tokens", "/v2.0/tokens"):
        _refused(service.ask("POST", path, raw))


@pytest.mark.parametrize("kind", ["user", "project"])
def test_nasty_fields_of_an_admin(service: Service, kind: str) -> None:
    token = service.log_in("admin").token
    fields = ("name", "description", "enabled", "email", "password", "default_project_id")
    for number, (name, nasty) in enumerate(product(fields, NASTY)):
        body = {kind: {"name": f"{kind}{number}", name: nasty}}
        answer = service.ask("POST", f"/v3/{kind}s", body, token)
        assert answer.status in (201, 400, 404), (nasty, answer.text)


NASTY_IN_PATHS = ("%00", "..%2f..%2fetc", "%ff%fe", "x" * 4000, "'%20or%201=1", "%e2%98%83", "{x}", "%0d%0aX-Evil:1")

PATHS = [
    *("/{}", "/v3/{}", "/v3/users/{}", "/v3/projects/{}", "/v3/roles/{}", "/v3/domains/{}", "/v3/services/{}"),
    *("/v3/users/{}/projects", "/v3/users/{}/application_credentials/{}", "/v3/projects/{}/users/{}/roles/{}"),
]


@pytest.mark.parametrize("path", PATHS)
def test_nasty_paths(service: Service, path: str) -> None:
    token = service.log_in("admin").token
    methods = ("GET", "PUT", "PATCH", "DELETE", "POST")
    for method, nasty in product(methods, NASTY_IN_PATHS):
        answer = service.ask(method, path.replace("{}", nasty), {"user": {}, "project": {}}, token)
        listed = method == "GET" and path.endswith("/projects")
        assert 400 <= answer.status < 500 or listed, (answer.status, method, nasty)


@pytest.mark.parametrize(
    "path", ["/v3/users?name=", "/v3/projects?name=", "/v3/role_assignments?user.id=", "/v3/roles?name="]
)
def test_nasty_questions(service: Service, path: str) -> None:
    token = service.log_in("admin").token
    for nasty in ("%00", "%ff", "a&name=b&user.id=c", "x" * 4000, quote("' or 1=1 --"), "%"):
        assert service.ask("GET", path + nasty, token=token).status in (200, 400)


@pytest.mark.parametrize("token", ["", "x" * 8000, "argosy_\xe9", "' or 1=1 --", "Bearer x"])
def test_nasty_tokens(service: Service, token: str) -> None:
    for path in ("/v3/auth/projects", "/v3/users", "/v3/auth/catalog", "/v2.0/tenants"):
        assert service.ask("GET", path, X_Auth_Token=token.encode("latin-1")).status == 401


@pytest.mark.parametrize(
    "host", ["", "[", "a:b:c", "x:99999999", "\xff", "x" * 3000, "evil/..", "[::1]:5000", "{project}", "%"]
)
def test_nasty_hosts(service: Service, host: str) -> None:
    at = urlsplit(service.url)
    told = service.passwords["demo"]
    body = json.dumps({"auth": {"passwordCredentials": {"username": "demo", "password": told}}}).encode()
    for first, rest in (("GET / ", b""), ("GET /v3 ", b""), ("POST /v2.0/tokens ", body)):
        head = f"{first}HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(rest)}\r\nConnection: close\r\n\r\n"
        with socket.create_connection((at.hostname, at.port)) as talk:
            talk.sendall(head.encode("latin-1") + rest)
            status = talk.recv(100).split()[1]
        assert status[:1] in (b"2", b"3", b"4"), (host, first, status)


KEYS = ("auth", "identity", "methods", "password", "user", "name", "id", "scope", "domain", "project", "token")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=20,
)


@given(body=JSON)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_at_all(service: Service, body: Any) -> None:
    for path in ("/v3/auth/tokens", "/v2.0/tokens"):
        _refused(service.ask("POST", path, body))
