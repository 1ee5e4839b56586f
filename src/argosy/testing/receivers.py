"""A receiver of webhooks, as real as its address: it takes, refuses, hangs, drips or hangs up, as it is told."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    url: str = ""
    manner: str = "200"
    """a status, or `hang`, `drip`, `close`, or `chat`, which is another protocol"""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """every request that was read whole, also those that were refused"""
    taken: list[dict[str, Any]] = field(default_factory=list)
    """events answered with 200"""
    over: threading.Event = field(default_factory=threading.Event)

    def receive(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, body))
        manner = self.manner
        if manner.isdigit():
            if manner == "200":
                self.taken.append(json.loads(body))
            request.send_response(int(manner))
            request.send_header("Location", f"{self.url}/elsewhere")
            request.end_headers()
        elif manner == "hang":
            self.over.wait()
        elif manner == "chat":
            request.wfile.write(b"220 \x1b[2Jsecret\0 " + b"x" * 60_000 + b"\r\n")
        elif manner == "drip":
            self._drip(request)

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.over.wait(0.05):
            request.wfile.write(b"X-More: yes\r\n")

    def sequence(self) -> list[int]:
        """Numbers of the events taken, without repetitions, in the order of the first time."""
        return list(dict.fromkeys(each["seq"] for each in self.taken))


class Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Clients that hang up are what is being tested."""


@contextmanager
def serve(manner: str = "200", context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    receiver = Receiver(manner=manner)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with contextlib.suppress(ConnectionError):
                receiver.receive(self)

        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

    with Quiet(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()
