"""The agent's way to the conductor, where that goes wrong."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.agent import door
from argosy.guest import authority


@pytest.fixture
def mute(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A conductor that completes TLS and then says nothing: its URL and its authority."""
    authority.make(tmp_path)
    signing = authority.load(tmp_path)
    issued = signing.issue(["127.0.0.1"], 1)
    (tmp_path / "pair.pem").write_text(issued.certificate + issued.private_key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pair.pem")
    held: list[ssl.SSLSocket] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_hold, args=(listening, context, held), daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}", signing.pem
    for each in held:
        each.close()


def _hold(listening: socket.socket, context: ssl.SSLContext, held: list[ssl.SSLSocket]) -> None:
    plain, _ = listening.accept()
    held.append(context.wrap_socket(plain, server_side=True))


def test_a_conductor_that_never_answers_is_given_up(mute: tuple[str, str]) -> None:
    """Seen with twenty guests at once: one waited for its upgrade until the conductor ended."""
    begun = time.monotonic()
    with pytest.raises(door.Lost):
        door.Door(*mute, patience=0.5).open("credential")
    assert time.monotonic() - begun < 30


def test_an_answer_of_the_store_is_told_in_its_words() -> None:
    with pytest.raises(errors.GuestFailed, match=r"^no bucket$"):
        door.require_store(502, b'{"error": "no bucket"}')


@pytest.mark.parametrize(("status", "text"), [(502, b"<html>Bad Gateway"), (502, b"[]"), (503, b'{"error": "later"}')])
def test_what_a_gateway_says_is_no_answer_of_the_store(status: int, text: bytes) -> None:
    door.require_store(status, text)
