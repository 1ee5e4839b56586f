"""What is signed, when is tried again, and where nothing is sent."""

from __future__ import annotations

import pytest

from argosy import errors
from argosy.model import webhooks
from argosy.settings import Webhooks

SHIPPED = webhooks.networks(Webhooks.refused_networks)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.1.2.3", "169.254.169.254", "::1", "::", "fe80::1%eth0", "224.0.0.1",
        "255.255.255.255", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
        "100.100.100.200", "168.63.129.16", "fd00:ec2::254",
    ],
)  # fmt: skip
def test_this_machine_and_metadata_services_are_refused_as_shipped(address: str) -> None:
    assert webhooks.refused(address, SHIPPED, ())


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.1", "172.16.0.9", "203.0.113.5", "fd12::7", "2001:db8::1"])
def test_private_networks_are_not(address: str) -> None:
    assert not webhooks.refused(address, SHIPPED, ())


def test_an_exception_wins() -> None:
    assert not webhooks.refused("127.0.0.1", SHIPPED, webhooks.networks("127.0.0.1/32"))
    assert webhooks.refused("127.0.0.2", SHIPPED, webhooks.networks("127.0.0.1/32"))


def test_networks_that_are_none_are_told() -> None:
    with pytest.raises(errors.Broken, match="webhooks"):
        webhooks.networks("10.0.0.0/8, here")


def test_a_signature_covers_the_time_and_the_body() -> None:
    signed = {webhooks.sign(*each) for each in (("s", 1, b"x"), ("s", 2, b"x"), ("s", 1, b"y"), ("t", 1, b"x"))}
    assert len(signed) == 4


def test_a_signature_is_what_others_compute() -> None:
    """Of `echo -n 1.x | openssl dgst -sha256 -hmac s`."""
    assert webhooks.sign("s", 1, b"x") == "v1=82e21d3835959d69636bc0eb5dc175351c881f8e1358e14feb992898de41fce6"


def test_pauses_grow_and_end_at_ten_minutes() -> None:
    assert [webhooks.pause(failures) for failures in (1, 2, 3, 4, 11, 10_000)] == [1, 2, 4, 8, 600, 600]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/", "http://", "https:///x", "http://a:b@c/", "http://a/#f", "http://a b/", "http://ä/", "a",
        "http://[::1/", "http://a:99999/", "http://a:0/", f"http://a/{'x' * 2048}",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_web_server(url: str) -> None:
    with pytest.raises(errors.BadRequest):
        webhooks.target(url)


def test_kinds_are_beginnings() -> None:
    assert webhooks.told([], "dbaas.quota")
    assert webhooks.told(["dbaas.instance_", "dbaas.q"], "dbaas.quota")
    assert not webhooks.told(["dbaas.instance_"], "dbaas.quota")
