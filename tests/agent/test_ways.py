"""Ways to the conductor: one of several, and one that lets no WebSocket through."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.testing import claims
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

Make = Callable[..., RealGuest]


class Proxy:
    """Passes requests on, and refuses every upgrade, as old proxies do."""

    def __init__(self, channel: Channel, home: Path) -> None:
        self.channel = channel
        self.refused = 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = channel.authority.issue(["127.0.0.1"], 1)
        pair = home / "proxy.pem"
        pair.write_text(issued.private_key + issued.certificate)
        self._tls.load_cert_chain(pair)
        self._tls.num_tickets = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), self._tls.wrap_socket(plain, server_side=True) as client:
            head = client.recv(65536)
            if b"upgrade: websocket" in head.lower():
                self.refused += 1
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with self.channel.dial() as conductor:
                conductor.sendall(head)
                threading.Thread(target=pump, args=(conductor, client), daemon=True).start()
                pump(client, conductor)


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(channel: Channel, home: Path) -> Iterator[Proxy]:
    channel.start()
    proxy = Proxy(channel, home)
    yield proxy
    proxy.close()


def test_where_no_websocket_gets_through_frames_travel_by_long_poll(proxy: Proxy, guest: Make) -> None:
    made = guest(conductors=[proxy.url])
    made.start()
    eventually(made.connected)
    made.do("prepare", master="correct-horse-battery")
    made.do("stop")
    eventually(lambda: made.channel.guest(made.id).health == "stopped", within=5)
    assert proxy.refused == 1, made.log.read_text()


def test_a_long_polling_guest_comes_back_to_a_restarted_conductor(proxy: Proxy, guest: Make) -> None:
    made = guest(conductors=[proxy.url])
    made.start()
    eventually(made.connected)
    made.channel.kill()
    made.channel.start()
    made.do("configure")


def test_the_next_conductor_is_tried_when_one_does_not_answer(channel: Channel, guest: Make) -> None:
    channel.start()
    made = guest(conductors=[f"https://127.0.0.1:{claims.port()}", channel.url])
    made.start()
    eventually(made.connected)
