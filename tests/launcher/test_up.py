"""What `argosy up` refuses before anything starts."""

import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from argosy.launcher import health, ports, processes, up
from argosy.launcher.health import State
from argosy.launcher.ports import PortTaken
from argosy.settings import BadSetting, Settings


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="ag-", dir="/tmp") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_engine_roots_that_may_not_be_read_are_refused_by_the_name_of_their_setting(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = home / "mine" / "engines"
    engines.mkdir(parents=True)
    monkeypatch.setenv("ARGOSY_PROVIDER__ENGINES", str(engines))
    up.prepare(home / "s")
    (home / "mine").chmod(0)
    with pytest.raises(BadSetting, match=rf"provider\.engines: {engines} cannot be read by the user \w+: `chmod"):
        up.prepare(home / "s")
    (home / "mine").chmod(0o755)
    engines.rmdir()
    assert up.prepare(home / "s").provider.engines == str(engines)


class Healthy(BaseHTTPRequestHandler):
    """Answers as every deployment does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, *_words: object) -> None:
        pass


@contextmanager
def answering(port: int) -> Iterator[None]:
    with ThreadingHTTPServer((ports.HOST, port), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.mark.parametrize("start", [up.in_background, up.in_foreground])
@pytest.mark.parametrize("section", ["api", "identity", "conductor", "console"])
def test_a_port_at_which_another_answers_is_refused(
    home: Path, start: Callable[[Settings], object], section: str
) -> None:
    deployment = up.prepare(home / "s", ports.free_ones().api)
    port = getattr(deployment, section).port
    with (
        answering(port),
        pytest.raises(PortTaken, match=rf"port {port} .*: stop .* choose another by {section}\.port in"),
    ):
        start(deployment)
    assert up.running(deployment) is None


def test_an_address_that_is_not_there_yet_is_no_reason_to_refuse() -> None:
    assert ports.free(ports.free_ones().api, "192.0.2.1")


def test_who_answers_in_place_of_ours_is_not_taken_for_it(home: Path) -> None:
    """As when the API was away for a moment, and somebody else took its port."""
    deployment = up.prepare(home / "s", ports.free_ones().api)
    with answering(deployment.api.port), subprocess.Popen(["sleep", "60"]) as other:
        for pid, wanted in ((other.pid, State.SILENT), (os.getpid(), State.HEALTHY)):
            processes.record(deployment.run, processes.observe("api", pid))
            told = next(iter(health.look(deployment)))
            assert (told.role, told.health, bool(told.message)) == ("api", wanted, wanted is State.SILENT)
        other.kill()


def test_whoever_is_bound_and_does_not_listen_does_not_answer() -> None:
    me = processes.observe("me", os.getpid())
    with socket.create_server((ports.HOST, 0)) as listener, socket.socket() as other:
        other.bind((ports.HOST, 0))
        assert processes.listens(me, listener.getsockname()[1])
        assert not processes.listens(me, other.getsockname()[1])
