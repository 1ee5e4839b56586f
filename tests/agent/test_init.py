"""The parent of a guest: whatever dies comes back, and nothing else dies with it."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import argosy
from argosy.testing.waiting import eventually

CODE = Path(argosy.__file__).parents[1]
START = (
    f"import sys; sys.path.insert(0, {str(CODE)!r}); from argosy.agent import init; sys.exit(init.main(sys.argv[1:]))"
)
NONSENSE = b"{ [] 7 {'do':'dance'} {'do':'start'} {'do':'start','service':{'argv':7}} {'do':'restart'}".replace(
    b"'", b'"'
)
SLEEPER = (sys.executable, "-I", "-S", "-c", "import time; print('agent is here', flush=True); time.sleep(3600)")


class Guest:
    """A real init in a directory of its own, with a child that sleeps as its agent."""

    def __init__(self, state: Path) -> None:
        self.state, self.log = state, state / "guest.log"
        self.start()

    def start(self) -> None:
        lock = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        fcntl.flock(lock, fcntl.LOCK_EX)
        argv = (sys.executable, "-I", "-S", "-c", START, str(lock), str(self.state), *SLEEPER)
        with self.log.open("a+b") as log:
            self.init = subprocess.Popen(argv, pass_fds=[lock], stderr=log, start_new_session=True)
        os.close(lock)
        eventually(lambda: (self.state / "lock").read_text() == "up\n")

    def ask(self, **request: Any) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(20)
            line.connect(str(self.state / "init.sock"))
            line.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(line.makefile().readline())

    def run(self, *argv: str, **more: Any) -> int:
        reply = self.ask(do="start", service={"argv": argv, **more})
        assert reply["ok"], reply
        return reply["pid"]

    def agent(self) -> int:
        children = Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
        found = [int(each) for each in children if b"agent is here" in Path(f"/proc/{each}/cmdline").read_bytes()]
        assert len(found) == 1, found
        return found[0]

    def close(self) -> None:
        self.init.terminate()
        self.init.wait(20)
        assert "Traceback" not in self.log.read_text(), self.log.read_text()


@pytest.fixture
def guest() -> Iterator[Guest]:
    with tempfile.TemporaryDirectory(prefix="ag-") as directory:
        guest = Guest(Path(directory))
        yield guest
        guest.close()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_a_killed_agent_comes_back_and_its_engine_never_notices(guest: Guest) -> None:
    engine, agent = guest.run("sleep", "3600"), guest.agent()
    os.kill(agent, signal.SIGKILL)
    eventually(lambda: not alive(agent))
    assert eventually(guest.agent, within=5) != agent
    assert guest.ask(do="status")["pid"] == engine
    assert alive(engine)


def test_a_killed_engine_is_back_within_two_seconds(guest: Guest) -> None:
    engine, agent = guest.run("sleep", "3600"), guest.agent()
    os.kill(engine, signal.SIGKILL)
    eventually(lambda: guest.ask(do="status")["pid"] not in {engine, None}, within=2)
    status = guest.ask(do="status")
    assert (status["starts"], status["exit"], status["wanted"]) == (2, -signal.SIGKILL, True)
    assert guest.agent() == agent


def test_start_again_answers_with_the_running_process(guest: Guest) -> None:
    assert guest.run("sleep", "3600") == guest.run("sleep", "3600")


def test_a_stopped_engine_stays_stopped_also_for_the_next_init(guest: Guest) -> None:
    engine = guest.run("sleep", "3600")
    assert guest.ask(do="stop") == {"ok": True}
    assert not alive(engine)
    guest.close()
    guest.start()
    status = guest.ask(do="status")
    assert (status["running"], status["wanted"], status["starts"]) == (False, False, 0)


def test_restart_answers_when_the_new_process_is_there(guest: Guest) -> None:
    engine = guest.run("sleep", "3600")
    reply = guest.ask(do="restart")
    assert reply["ok"]
    assert reply["pid"] != engine
    assert not alive(engine)


def test_who_does_not_stop_in_time_is_killed(guest: Guest) -> None:
    deaf = guest.run("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done", stop_seconds=0.2)
    eventually(lambda: "deaf" in guest.ask(do="status")["tail"])
    assert guest.ask(do="stop") == {"ok": True}
    assert guest.ask(do="status")["exit"] == -signal.SIGKILL
    assert not alive(deaf)


def test_the_stop_signal_is_the_engines_own(guest: Guest) -> None:
    guest.run("sh", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.01; done", stop_signal=signal.SIGINT)
    eventually(lambda: "ready" in guest.ask(do="status")["tail"])
    assert guest.ask(do="stop") == {"ok": True}
    assert guest.ask(do="status")["exit"] == 7


def test_an_engine_that_cannot_start_is_tried_again_ever_later_and_says_why(guest: Guest) -> None:
    guest.run("sh", "-c", "echo no such luck >&2; exit 3")
    status = eventually(lambda: (now := guest.ask(do="status"))["starts"] >= 3 and now)
    assert (status["exit"], status["wanted"]) == (3, True)
    assert "no such luck" in status["tail"]
    assert guest.ask(do="status")["starts"] < 8


def test_an_engine_that_is_told_to_hurry_starts_before_its_pause_is_over(guest: Guest) -> None:
    cure = guest.state / "cure"
    guest.run("sh", "-c", f"test -e {cure} && exec sleep 3600")
    eventually(lambda: guest.ask(do="status")["failures"] >= 6)  # the next pause is 1.6 s
    cure.touch()
    assert guest.ask(do="hurry") == {"ok": True}
    eventually(lambda: guest.ask(do="status")["running"], within=1)


def test_sigterm_stops_engine_and_agent_and_the_next_init_starts_both(guest: Guest) -> None:
    engine, agent = guest.run("sleep", "3600"), guest.agent()
    guest.close()
    assert guest.init.returncode == 0
    assert not alive(engine)
    assert not alive(agent)
    guest.start()
    assert guest.ask(do="status")["running"]


def test_nothing_outlives_a_killed_init_and_there_is_never_a_second_engine(guest: Guest) -> None:
    engine, agent = guest.run("sleep", "3600"), guest.agent()
    eventually(lambda: command(engine) == "sleep" and command(agent) != "setpriv")
    guest.init.kill()
    guest.init.wait(5)
    eventually(lambda: not alive(engine) and not alive(agent), within=5)
    guest.start()
    eventually(lambda: guest.ask(do="status")["running"])


def test_an_init_killed_while_it_starts_a_child_leaves_no_second_one(guest: Guest) -> None:
    """At this moment a child may not know yet that it has to die with its parent."""
    for _ in range(10):
        engine, agent = guest.run("sleep", "3600"), guest.agent()
        guest.init.kill()
        guest.init.wait(5)
        guest.start()
        eventually(lambda: guest.ask(do="status")["running"] and guest.agent())
        assert not alive(engine)
        assert not alive(agent)


def test_an_orphan_of_the_last_engine_is_killed_before_the_next_one_starts(guest: Guest) -> None:
    parent = guest.run("sh", "-c", "setsid sleep 3600 & echo orphan=$!; wait")
    line = eventually(lambda: "orphan=" in (tail := guest.ask(do="status")["tail"]) and tail)
    orphan = int(line.partition("orphan=")[2].split()[0])
    os.kill(parent, signal.SIGKILL)
    eventually(lambda: guest.ask(do="status")["starts"] == 2, within=5)
    eventually(lambda: not alive(orphan), within=1)


@pytest.mark.parametrize("line", NONSENSE.split())
def test_nonsense_is_answered_and_harms_nobody(guest: Guest, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(guest.state / "init.sock"))
        caller.sendall(line + b"\n" + b'{"do":"status"}\n')
        replies = caller.makefile()
        assert json.loads(replies.readline())["ok"] is False
        assert json.loads(replies.readline())["running"] is False


def test_an_endless_line_is_hung_up_on(guest: Guest) -> None:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(guest.state / "init.sock"))
        with pytest.raises(ConnectionError):
            caller.sendall(b"x" * (8 << 20))
    assert guest.ask(do="status")["wanted"] is False


def test_a_damaged_service_file_does_not_stop_the_agent(guest: Guest) -> None:
    guest.close()
    (guest.state / "service.json").write_text('{"wanted": tr')
    guest.start()
    status = guest.ask(do="status")
    assert status["running"] is False
    assert "damaged" in status["tail"]


def test_the_engines_log_keeps_its_newest_lines_and_never_grows_past_its_limit(guest: Guest) -> None:
    guest.run("sh", "-c", "seq 1 3000000; echo the end; sleep 3600")
    eventually(lambda: "the end" in guest.ask(do="status")["tail"])
    assert (guest.state / "engine.log").stat().st_size <= 8 << 20
