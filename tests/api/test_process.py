"""The api process as it is started: its ports, its bell, its end."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from typing import Any

import pytest
from calling import order
from seeding import issue

from argosy.db.session import Database
from argosy.db.tables import Run
from argosy.durable.doorbell import Doorbell
from argosy.settings import Settings
from argosy.testing import claims
from argosy.testing.waiting import eventually

SERVE = "import sys; from argosy import settings; from argosy.api import main; sys.exit(main.run(settings.load()))"


class Api:
    def __init__(self, settings: Settings, token: str, **options: object) -> None:
        state = settings.state
        self.port, self.identity, self.token = claims.port(), claims.port(), token
        told = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
        (state / "argosy.toml").write_text(
            f"[database]\nurl = {json.dumps(settings.database.url)}\n"
            f"[api]\nport = {self.port}\n{told}[identity]\nport = {self.identity}\n"
        )
        self.log = state / "api.log"
        with self.log.open("wb") as log:
            environment = {**os.environ, "ARGOSY_STATE": str(state)}
            self.process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stderr=log)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any, Message]:
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else None
        if data is not None:
            headers = {"Content-Type": "application/json", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, data, {"X-Auth-Token": self.token, **headers})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text[:1] == b"{" else text, answer.headers
        finally:
            connection.close()

    def up(self) -> bool:
        try:
            return self.call("GET", "/healthcheck")[0] == 200
        except OSError:
            return False

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@pytest.fixture
def start(settings: Settings, database: Database) -> Iterator[Callable[..., Api]]:
    started: list[Api] = []

    def start(**options: object) -> Api:
        started.append(Api(settings, issue(database, "blue", "member"), **options))
        eventually(started[0].up, within=120)
        return started[0]

    yield start
    for api in started:
        api.process.kill()
        api.process.wait()


def test_it_serves_both_ports_and_ends_cleanly(start: Callable[..., Api], settings: Settings) -> None:
    api = start()
    assert api.call("POST", "/v1.0/blue/instances", order())[0] == 200
    assert api.call("GET", "/v1.0/blue/instances")[1]["instances"][0]["name"] == "m1"
    with socket.create_connection(("127.0.0.1", api.identity), 5):
        pass
    assert api.end() == 0
    assert not list(settings.run.glob("api-*"))
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    answered = [line for line in lines if line["message"] == "answered" and line["method"] == "POST"]
    assert [(line["status"], line["path"]) for line in answered] == [(200, "/v1.0/blue/instances")]
    assert answered[0]["request"].startswith("req-")
    assert api.token not in api.log.read_text()


def test_a_ring_of_another_process_wakes_who_waits(
    start: Callable[..., Api], settings: Settings, database: Database
) -> None:
    api = start()
    path = f"/v1.0/blue/instances/{api.call('POST', '/v1.0/blue/instances', order())[1]['instance']['id']}/operations"
    cursor = api.call("GET", path)[1]["cursor"]
    elsewhere = Doorbell(settings, "taskmanager")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.call, "GET", f"{path}?since={cursor}&wait=20")
        with database.write() as session:
            session.query(Run).one().note = "news"
        elsewhere.ring({"api"})
        assert waiting.result()[1]["operations"][0]["waiting_for"] == "news"
    elsewhere.close()


def test_who_waits_is_answered_at_the_end(start: Callable[..., Api]) -> None:
    api = start()
    path = f"/v1.0/blue/instances/{api.call('POST', '/v1.0/blue/instances', order())[1]['instance']['id']}/operations"
    cursor = api.call("GET", path)[1]["cursor"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.call, "GET", f"{path}?since={cursor}&wait=20")
        eventually(waiting.running)
        time.sleep(0.5)  # nothing tells from outside that the request has arrived
        begun = time.monotonic()
        assert api.end() == 0
        assert time.monotonic() - begun < 5
        assert waiting.result()[0] == 200


def test_waiting_does_not_starve_the_rest(start: Callable[..., Api]) -> None:
    """With one thread to serve and a crowd that waits: all seats are taken, the rest is answered as before."""
    api = start(threads=1)
    path = f"/v1.0/blue/instances/{api.call('POST', '/v1.0/blue/instances', order())[1]['instance']['id']}/operations"
    wait = f"{path}?wait=5&since={api.call('GET', path)[1]['cursor']}"
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(api.call, "GET", wait) for _ in range(12)]
        eventually(lambda: sum(each.done() for each in waiting) == 4, within=4)
        begun = time.monotonic()
        assert api.call("GET", "/v1.0/blue/limits")[0] == 200
        assert time.monotonic() - begun < 2
        assert sum(each.done() for each in waiting) == 4
    assert [each.result()[2].get("Retry-After") for each in waiting].count("1") == 4


def test_a_port_in_use_is_named(start: Callable[..., Api], settings: Settings) -> None:
    taken = start()
    second = subprocess.run(
        [sys.executable, "-c", SERVE],
        env={**os.environ, "ARGOSY_STATE": str(settings.state)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode != 0
    assert f"port {taken.port} of 127.0.0.1 is in use" in second.stderr


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"x" * (2 * 1_048_576), {}, 413),
        (None, {"Content-Length": str(17 * 1_048_576)}, 413),
        (None, {"X-Long": "x" * 300_000}, 431),
        (None, {"Content-Length": "-1"}, 400),
    ],
)
def test_what_is_too_much_is_refused_in_our_words(
    start: Callable[..., Api], body: bytes | None, headers: dict[str, str], status: int
) -> None:
    seen, said, told = start().call("POST", "/v1.0/blue/instances", body, **headers)
    ((_key, fault),) = said.items()
    assert (seen, fault["code"]) == (status, status)
    assert told["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize(("proxy", "scheme"), [("127.0.0.1", "https"), ("127.0.0.9", "http"), ("", "http")])
def test_a_proxy_is_believed_only_where_the_settings_say_so(start: Callable[..., Api], proxy: str, scheme: str) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "db.example"}
    link = start(trusted_proxy=proxy).call("GET", "/v1.0/blue/flavors/1", **forwarded)[1]["flavor"]["links"][0]["href"]
    assert link.startswith(f"{scheme}://")
    assert ("db.example" in link) is (scheme == "https")
