"""One call of a webhook, to receivers of every manner."""

from __future__ import annotations

import dataclasses
import ssl
from pathlib import Path

import pytest

from argosy import clock
from argosy.guest import authority
from argosy.settings import Webhooks
from argosy.testing import receivers
from argosy.workflows.webhook_call import Undelivered, post

HERE = Webhooks(allowed_networks="127.0.0.1/32", timeout_seconds=0.6)


def test_it_is_taken() -> None:
    with receivers.serve() as receiver:
        post(HERE, f"{receiver.url}/hook?a=b", {"Argosy-Event": "e", "Content-Length": "2"}, b"{}")
        ((headers, body),) = receiver.got
        assert (headers["argosy-event"], body) == ("e", b"{}")


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("500", "answered 500"),
        ("404", "answered 404"),
        ("302", "redirects are not followed"),
        ("hang", "no answer within"),
        ("drip", "no answer within"),
        ("close", "Remote end closed"),
        ("chat", r": no answer in HTTP \(BadStatusLine\)$"),
    ],
)
def test_it_is_not_taken(manner: str, words: str) -> None:
    begun = clock.monotonic()
    with receivers.serve(manner) as receiver, pytest.raises(Undelivered, match=words):
        post(HERE, receiver.url, {"Content-Length": "2"}, b"{}")
    assert clock.monotonic() - begun < 20
    assert len(receiver.got) == 1


def test_nobody_listens() -> None:
    with receivers.serve() as receiver:
        url = receiver.url
    with pytest.raises(Undelivered, match="refused"):
        post(HERE, url, {}, b"")


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_nothing_is_sent_to_this_machine_as_shipped(name: str) -> None:
    with receivers.serve() as receiver:
        port = receiver.url.rpartition(":")[2]
        with pytest.raises(Undelivered, match="sends nothing there"):
            post(Webhooks(), f"http://{name}:{port}", {}, b"")
    assert receiver.got == []


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(Undelivered, match=r"no-such-host\.invalid"):
        post(HERE, "http://no-such-host.invalid/", {}, b"")


def test_a_certificate_is_verified(tmp_path: Path) -> None:
    authority.make(tmp_path)
    issuer = authority.load(tmp_path)
    context = _server_side(tmp_path, issuer.issue(["127.0.0.1"], 1))
    trusting = dataclasses.replace(HERE, authorities=str(tmp_path / "ca.crt"), timeout_seconds=10)
    with receivers.serve(context=context) as receiver:
        post(trusting, receiver.url, {"Content-Length": "2"}, b"{}")
        with pytest.raises(Undelivered, match="certificate"):
            post(dataclasses.replace(HERE, timeout_seconds=10), receiver.url, {"Content-Length": "2"}, b"{}")
    assert len(receiver.got) == 1


def _server_side(home: Path, issued: authority.Issued) -> ssl.SSLContext:
    chain = home / "server.pem"
    chain.write_text(issued.private_key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context
