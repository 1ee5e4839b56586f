"""URLs and command lines: the certificate is verified, the password is where it belongs."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from argosy.client import connections
from argosy.client.connections import FAMILIES, NotReachable, Target

AUTHORITY = Path("/home/some one/ca.pem")
NASTY = "p@ss:w/ord?#%&'\" \\"


def target(scheme: str, **more: Any) -> Target:
    return Target(scheme, "127.1.2.3", 5432, AUTHORITY, **{"password": NASTY, **more})


@pytest.mark.parametrize("scheme", FAMILIES)
def test_every_url_holds_the_password_and_verifies(scheme: str) -> None:
    url = urlsplit(connections.url(target(scheme, database="sh op")))
    assert (url.scheme, url.username, url.hostname, url.port) == (scheme, "root", "127.1.2.3", 5432)
    assert unquote(url.password or "") == NASTY
    assert unquote(url.path) == "/sh op"
    assert str(AUTHORITY) in {value for values in parse_qs(url.query).values() for value in values}


def test_a_postgresql_url_is_checked_in_full() -> None:
    query = parse_qs(urlsplit(connections.url(target("postgresql"))).query)
    assert query == {"sslmode": ["verify-full"], "sslrootcert": [str(AUTHORITY)]}


@pytest.mark.parametrize("scheme", FAMILIES)
def test_without_a_password_the_url_has_no_colon_before_the_host(scheme: str) -> None:
    assert "//root@127.1.2.3" in connections.url(target(scheme, password=""))


def test_an_engine_without_tls_says_so_by_its_scheme() -> None:
    plain = Target("rediss", "::1", 6379, None, password="x")
    assert connections.url(plain) == "redis://root:x@[::1]:6379/0"


@pytest.mark.parametrize("scheme", FAMILIES)
def test_a_shell_has_the_password_in_its_environment_only(scheme: str) -> None:
    command = connections.shell(target(scheme), "SELECT 1")
    assert NASTY in command.environment.values()
    assert not any(NASTY in argument for argument in command.arguments)
    assert any(str(AUTHORITY) in argument for argument in command.arguments)
    assert NASTY not in repr(command)
    assert NASTY not in repr(target(scheme))


def test_the_endpoint_that_takes_writes_is_chosen() -> None:
    reader = {"role": "reader", "host": "127.0.0.9", "port": 1, "scheme": "mysql", "tls": "enforced"}
    writer = {"role": "writer", "host": "127.0.0.8", "port": 2, "scheme": "mysql", "tls": "off"}
    found = connections.target({"endpoints": [reader, writer]}, AUTHORITY, "")
    assert (found.host, found.port, found.authority) == ("127.0.0.8", 2, None)


def test_the_public_endpoint_is_chosen_when_asked_for() -> None:
    inside = {"role": "writer", "host": "127.0.0.8", "port": 2, "scheme": "mysql", "tls": "enforced"}
    outside = {**inside, "role": "public", "host": "192.0.2.1", "port": 20_000}
    told = {"name": "m1", "endpoints": [inside, outside]}
    assert connections.target(told, AUTHORITY, "").host == "127.0.0.8"
    found = connections.target(told, AUTHORITY, "", public=True)
    assert (found.host, found.port) == ("192.0.2.1", 20_000)
    with pytest.raises(NotReachable, match="m1 is not public: argosy db access m1 --public"):
        connections.target({"name": "m1", "endpoints": [inside]}, AUTHORITY, "", public=True)


def test_an_instance_without_address_cannot_be_reached() -> None:
    with pytest.raises(NotReachable, match="m1 has no address yet: its status is BUILD"):
        connections.target({"name": "m1", "status": "BUILD"}, AUTHORITY, "")


def test_a_name_with_quotes_cannot_break_out_of_the_connection_string() -> None:
    command = connections.shell(target("postgresql", database="a' host='elsewhere\\"), "")
    assert r"dbname='a\' host=\'elsewhere\\'" in command.arguments[2]
