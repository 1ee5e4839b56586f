"""Guests of this machine live on, whatever of them or around them is killed."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.providers.base import Fence, ServerSpec, State
from argosy.providers.local import runtime
from argosy.providers.local.guests import LONGEST_WORDS
from argosy.providers.local.processes import Holders
from argosy.testing import killing, local_sites
from argosy.testing.contracts import compute as contract
from argosy.testing.local_sites import Site
from argosy.testing.waiting import eventually

LEVELS = [False, pytest.param(True, marks=pytest.mark.skipif(os.geteuid() != 0, reason="walls need root"))]


@pytest.fixture(params=LEVELS, ids=lambda walled: "root" if walled else "user")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with local_sites.site(walled=request.param) as site:
        yield site


@pytest.fixture
def guest(site: Site) -> ServerSpec:
    return contract.up(site, contract.prepared(site, local_sites.fresh(), 1))


def inside(site: Site, name: str) -> dict[str, Path]:
    told = json.loads((site.state(name) / "site.json").read_text())
    return {key: Path(told[key]) for key in ("root", "data", "state")}


def redis(site: Site, name: str) -> None:
    """Start a real one in the guest's volume."""
    paths = inside(site, name)
    argv = f"redis-server --port 0 --unixsocket {paths['data']}/r.sock --dir {paths['data']} --appendonly yes"
    site.run(name, *argv.split())
    eventually(lambda: ping(site, name), within=5)


def ping(site: Site, name: str) -> bool:
    return cli(site, name, "ping") == "PONG"


def cli(site: Site, name: str, *words: str) -> str:
    socket = site.layout.volumes / name / "r.sock"
    return subprocess.run(
        ["redis-cli", "-s", socket, *words], capture_output=True, text=True, check=False
    ).stdout.strip()


def servers(site: Site, name: str) -> list[int]:
    """The host's numbers of the Redis servers whose socket lies in this guest's volume."""
    found = [pid for pid in numbers() if command(pid).startswith("redis-server")]
    return [pid for pid in found if same_directory(pid, site.layout.volumes / name)]


def agents(site: Site, name: str) -> list[int]:
    found = [pid for pid in numbers() if "agent is here" in command(pid) and "init.main" not in command(pid)]
    return [pid for pid in found if same_directory(pid, site.state(name))]


def numbers() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def same_directory(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(directory)
    except OSError:
        return False


def test_a_killed_engine_is_back_within_two_seconds_with_its_data(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    cli(site, guest.name, "set", "k", "v")
    cli(site, guest.name, "waitaof", "1", "0", "1000")
    (killed,) = servers(site, guest.name)
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: servers(site, guest.name) not in ([], [killed]), within=2)
    eventually(lambda: cli(site, guest.name, "get", "k") == "v", within=2)


def test_a_killed_agent_comes_back_and_the_engine_never_notices(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    before, log = servers(site, guest.name), site.layout.servers / guest.name / "guest.log"
    (killed,) = eventually(lambda: agents(site, guest.name))
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: log.read_text().count("agent is here") == 2)
    eventually(lambda: agents(site, guest.name) not in ([], [killed]))
    assert servers(site, guest.name) == before


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit('no such conductor')", "no such conductor"),
        ("""print('{"level": "critical", "message": "no keys"}'); raise SystemExit(1)""", "no keys"),
        ("print('[' * 9000)", "[" * LONGEST_WORDS),
        (r"""print('{"message": "a\\u0000b\\u001b\\ud800"}')""", "a b  "),
    ],
    ids=["a word", "a line of a log", "nonsense", "what no database takes"],
)
def test_of_an_agent_that_dies_at_every_start_the_last_words_are_told(site: Site, program: str, words: str) -> None:
    """What the agent logs is told without its wrapping, and whatever else it prints is not believed to be such."""
    broken = local_sites.assembled(
        site.layout, walled=site.walled, runs=dataclasses.replace(runtime.here(), agent=("-c", program))
    )
    guest = contract.up(broken, contract.prepared(broken, local_sites.fresh(), 1))
    eventually(lambda: broken.compute.look(guest.name).words == words, within=10)
    assert broken.compute.look(guest.name).state is State.ACTIVE


def test_who_started_a_guest_may_be_killed(site: Site) -> None:
    spec = contract.prepared(site, local_sites.fresh(), 1)
    killing.killed(lambda: contract.up(site, spec), None)
    redis(site, spec.name)
    assert site.compute.look(spec.name).state is State.ACTIVE


def test_after_the_death_of_its_init_ensure_brings_everything_back_once(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    cli(site, guest.name, "set", "k", "v")
    before = servers(site, guest.name)
    for pid in inits(site, guest.name):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: site.compute.look(guest.name).state is State.STOPPED, within=5)
    contract.up(site, guest)
    eventually(lambda: ping(site, guest.name), within=5)
    assert len(servers(site, guest.name)) == 1
    assert servers(site, guest.name) != before


def inits(site: Site, name: str) -> list[int]:
    """By what the provider itself goes by: who holds the guest's lock."""
    return list(Holders([site.layout.servers / name / "lock"]).members())


def test_stopping_a_server_stops_its_engine_cleanly(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    site.compute.stop(guest.name)
    eventually(lambda: site.compute.look(guest.name).state is State.STOPPED)
    assert servers(site, guest.name) == []
    assert "Redis is now ready to exit" in (site.state(guest.name) / "engine.log").read_text()


def test_a_started_again_server_has_its_engine_running(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    site.compute.stop(guest.name)
    eventually(lambda: site.compute.look(guest.name).state is State.STOPPED)
    contract.up(site, guest)
    eventually(lambda: ping(site, guest.name), within=5)


def test_a_fenced_server_has_no_process_left(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    assert site.compute.fence(guest.name) is Fence.FENCED
    assert servers(site, guest.name) == []
    assert inits(site, guest.name) == []


def test_a_fence_ends_also_what_left_the_engines_session(site: Site, guest: ServerSpec) -> None:
    marker = f"{3600 + os.getpid()}.5"
    site.run(guest.name, "sh", "-c", f"setsid setsid sleep {marker} & exec sleep 3601")
    eventually(lambda: any(command(pid).startswith(f"sleep {marker}") for pid in numbers()))
    assert site.compute.fence(guest.name) is Fence.FENCED
    assert not any(command(pid).startswith(f"sleep {marker}") for pid in numbers())


def test_deletion_leaves_nothing(site: Site, guest: ServerSpec) -> None:
    redis(site, guest.name)
    site.compute.delete(guest.name)
    assert servers(site, guest.name) == []
    assert [*site.layout.servers.iterdir()] == []
    assert [*site.layout.guests.iterdir()] == []
    assert not site.layout.users.exists() or [*site.layout.users.iterdir()] == []


def test_a_new_generation_gets_a_directory_of_its_own(site: Site, guest: ServerSpec) -> None:
    (site.state(guest.name) / "credential").write_text("old")
    contract.up(site, generation(guest, 2))
    assert not site.state(guest.name).exists()
    assert not (site.state(guest.name, 2) / "credential").exists()


def generation(spec: ServerSpec, number: int) -> ServerSpec:
    return ServerSpec(**{**vars(spec), "generation": number})


def test_the_guest_is_told_where_it_is(site: Site, guest: ServerSpec) -> None:
    state = site.state(guest.name)
    told = json.loads((state / "site.json").read_text())
    assert (told["port"], told["memory"], told["vcpus"]) == (6379, 256 << 20, 1)
    assert told["address"] == site.networks.address(guest.name)
    assert json.loads((state / "boot.json").read_text()) == {"conductors": []}
    assert {oct(path.stat().st_mode & 0o777) for path in state.glob("*.json")} == {"0o600"}


def test_new_limits_are_told_at_once(site: Site, guest: ServerSpec) -> None:
    site.compute.resize(guest.name, 512, 2)
    told = json.loads((site.state(guest.name) / "site.json").read_text())
    assert (told["memory"], told["vcpus"]) == (512 << 20, 2)
    assert site.compute.look(guest.name).state is State.ACTIVE


def test_a_sandbox_that_cannot_start_says_why(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    server = site.compute.ensure(contract.prepared(site, local_sites.fresh(), 1))
    assert server.state is State.FAILED
    assert "install the package" in server.fault


def test_an_init_that_dies_at_every_birth_is_a_fault_that_is_told_for_a_while(site: Site) -> None:
    gone = dataclasses.replace(runtime.here(), package=site.layout.state / "gone" / "argosy")
    broken = local_sites.assembled(site.layout, walled=site.walled, runs=gone)
    spec = contract.prepared(broken, local_sites.fresh(), 1)
    eventually(lambda: broken.compute.ensure(spec).state is State.FAILED)
    assert broken.compute.look(spec.name).state is State.FAILED
    _, told, words = broken.compute.ensure(spec).fault.partition("did not start")
    assert told
    assert "gone" in words or "No module named 'argosy'" in words


def test_an_init_that_was_killed_while_starting_is_launched_again(site: Site) -> None:
    spec = contract.prepared(site, local_sites.fresh(), 1)
    site.compute.ensure(spec)
    site.compute.enclosure.end(spec.name)
    assert site.compute.look(spec.name).state is not State.FAILED
    contract.up(site, spec)


def test_limits_that_are_only_announced_are_not_enforced(site: Site, guest: ServerSpec) -> None:
    site.compute.announce(guest.name, 128, 2)
    told = json.loads((site.state(guest.name) / "site.json").read_text())
    assert (told["memory"], told["vcpus"]) == (128 << 20, 2)
    assert told["volume"] > 0  # without limits it is the disk's free room, which changes
    record = site.compute.records.load(guest.name)
    assert record is not None
    assert record.ram == guest.ram


def test_the_lock_of_a_dead_boot_means_nothing(site: Site, guest: ServerSpec) -> None:
    """After a power cut the records say that the server is up, and nothing runs."""
    site.compute.enclosure.end(guest.name)
    contract.up(site, guest)


def test_what_stands_in_the_way_is_a_fault_and_deletion_cleans_up(site: Site, guest: ServerSpec) -> None:
    site.compute.fence(guest.name)
    (site.state(guest.name) / "boot.json").unlink()
    (site.state(guest.name) / "boot.json").mkdir()
    server = site.compute.ensure(guest)
    assert server.state is State.FAILED
    assert "boot.json" in server.fault
    site.compute.delete(guest.name)
    assert not site.state(guest.name).exists()


def test_one_guest_less_is_nothing_to_the_others(site: Site) -> None:
    specs = [contract.up(site, contract.prepared(site, local_sites.fresh(), 1)) for _ in range(3)]
    site.compute.delete(specs[0].name)
    assert [site.compute.look(spec.name).state for spec in specs] == [State.ABSENT, State.ACTIVE, State.ACTIVE]
