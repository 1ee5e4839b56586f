"""What can go wrong on a machine: each has its cause and cure where the owner looks, or heals by itself; and delete
leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from owners import ENGINES, Owner, answering
from sqlalchemy import select, update

from argosy import clock
from argosy.client.resources import Document, Request
from argosy.db.tables import Guest, Run, Timer
from argosy.durable import queue
from argosy.testing import machines, servers
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually
from argosy.workflows.build_template import build_template

SILENT_SECONDS = 4
ADDRESSES = [f"127.60.{os.getpid() % 250}.{number}" for number in range(1, 15)]
"""Of a /28, which guests' addresses are taken from."""
CONFIGURATIONS = {"postgresql": "postgresql.conf", "mariadb": "my.cnf", "redis": "redis.conf"}
WORDS = {"postgresql": "nonsense", "mariadb": "nonsense", "redis": "(?i)bad directive|nonsense"}
DAY = 86400
KEEP = "CREATE TABLE kept AS SELECT 42 AS it"


@pytest.fixture(scope="module")
def engines() -> Iterator[Path]:
    """A directory of engine roots, with a PostgreSQL that stands nowhere else on this machine."""
    with servers.engine_roots({}) as directory:
        yield directory


@pytest.fixture(scope="module")
def argosy(engines: Path) -> Iterator[Deployment]:
    if os.geteuid() != 0:
        pytest.skip("the whole product at level root needs root")
    conductor = {"heartbeat_seconds": 1, "silent_seconds": SILENT_SECONDS}
    provider = {"pool_gigabytes": 4, "engines": str(engines), "addresses": f"{ADDRESSES[0].rpartition('.')[0]}.0/28"}
    with Deployment(level="root", conductor=conductor, provider=provider) as deployment:
        yield deployment


@pytest.fixture
def seventeen(argosy: Deployment, engines: Path) -> Iterator[Path]:
    """An engine root with PostgreSQL 17, offered while the test runs."""
    found = servers.require("postgresql", "17")
    root = engines / "postgresql-17"
    shutil.copytree(found.root, root, symlinks=True)
    offered(argosy)
    yield root
    shutil.rmtree(root)


def offered(argosy: Deployment) -> None:
    """Look around for engines now rather than in a minute."""
    with argosy.database.write() as session:
        session.execute(update(Timer).where(Timer.name == "look_around").values(due_at=0.0))
    eventually(lambda: "17." in argosy.cli("datastore", "show", "postgresql").stdout, every=0.2)


def failed(owner: Owner, instance: Document, *words: str) -> None:
    """The operation and the instance say the same of it; then it is taken away, and nothing is left."""
    ended = owner.ended(instance["id"])
    seen = owner.client.instances.get(instance["id"])
    assert (ended["state"], seen["status"]) == ("failed", "ERROR")
    assert seen["fault"]["message"] == ended["error"]
    for each in words:
        assert each in ended["error"]
    owner.delete(instance["id"])
    left = [*owner.argosy.state.glob(f"*/{instance['id']}*"), *owner.argosy.state.glob(f"pool/*/{instance['id']}*")]
    assert left == [] == list(machines.pids_of(instance["id"]))
    assert instance["id"] not in {os.readlink(each) for each in (owner.argosy.state / "addresses").iterdir()}  # noqa: PTH115


def complains(owner: Owner, instance: Document, status: str, words: str) -> None:
    def look() -> bool:
        seen = owner.client.instances.get(instance["id"])
        assert seen["operating_status"] == status, seen
        with pytest.raises(AssertionError, match=words):
            raise AssertionError(seen["fault"]["message"])
        return True

    eventually(look, within=20)


# --- the pool ---


def test_a_full_pool_refuses_new_volumes_and_says_what_to_do(argosy: Deployment, owner: Owner) -> None:
    kept = owner.ready("redis")
    with filled(argosy, leaving=100 << 20):
        failed(owner, owner.create("redis"), "is full", "delete instances or raise provider.pool_gigabytes")
        assert owner.door(kept).ask("SET kept 42") == "OK"
    owner.ready("redis")


def test_a_pool_without_a_byte_left_costs_no_data(argosy: Deployment, owner: Owner) -> None:
    instance = owner.ready("postgresql")
    door = owner.door(instance)
    door.ask(KEEP)
    with filled(argosy, leaving=0), pytest.raises(Exception, match=r"(?i)network|space|connection|closed|timeout|eof"):
        door.ask("CREATE TABLE large AS SELECT repeat(md5(i::text), 99) FROM generate_series(1, 100000) i")
    answering(door, "postgresql")
    owner.healthy(instance["id"])
    assert door.ask("SELECT it FROM kept") == "42"


@contextmanager
def filled(argosy: Deployment, leaving: int) -> Iterator[None]:
    """The pool holds something else, as volumes that were promised more than there is would."""
    eventually(lambda: not building(argosy), within=120)
    ballast = argosy.state / "pool" / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(file.fileno())
        os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_frsize - leaving - (8 << 20), 1))
    try:
        if not leaving:
            subprocess.run(["dd", "if=/dev/zero", f"of={ballast}.2", "bs=64k"], check=False, capture_output=True)
        yield
    finally:
        for file_ in argosy.state.glob("pool/ballast*"):
            file_.unlink()


def building(argosy: Deployment) -> bool:
    """Is some template being built? Its builder would fail in a full pool, and give its own room back to the others."""
    with argosy.database.read() as session:
        mine = (Run.workflow == build_template.name) & (Run.state == "active")
        return session.scalar(select(Run.id).where(mine).limit(1)) is not None


def test_a_volume_that_never_fits_is_refused(owner: Owner) -> None:
    made = owner.client.instances.create(Request("large", "redis", "1", 50))
    failed(owner, made, "does not fit into the pool", "ask for less")


# --- engines ---


def test_an_engine_that_was_taken_away_is_missed_by_name(owner: Owner, seventeen: Path) -> None:
    instance = owner.ready("postgresql", version="17")
    program = next(seventeen.rglob("bin/postgres"))
    with moved(program):
        failed(owner, owner.create("postgresql", version="17"), "postgresql 17", "install it, or unpack it into")
        assert machines.kill(machines.engine_of(instance["id"]))
        complains(owner, instance, "FAILED", "(?i)no such file|cannot start|not found|exit status 127")
    owner.healthy(instance["id"])
    owner.answers(instance, "postgresql")


@contextmanager
def moved(file: Path) -> Iterator[None]:
    away = file.with_name("elsewhere")
    file.rename(away)
    try:
        yield
    finally:
        away.rename(file)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_that_cannot_start_tells_why(argosy: Deployment, owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    file = argosy.state / "guests" / f"{instance['id']}.1" / CONFIGURATIONS[engine]
    good = file.read_text()
    file.write_text(f"{good}\nnonsense = 1\n")
    machines.kill(machines.engine_of(instance["id"]))
    complains(owner, instance, "FAILED", WORDS[engine])
    file.write_text(good)
    owner.healthy(instance["id"])
    owner.answers(instance, engine)
    assert "fault" not in owner.client.instances.get(instance["id"])


def test_a_restart_that_fails_has_the_engines_own_words(owner: Owner) -> None:
    instance = owner.ready("redis")
    Path(f"/proc/{machines.engine_of(instance['id'])}/root/d/db/users.acl").write_text("nonsense\n")
    owner.client.instances.restart(instance["id"])
    ended = owner.ended(instance["id"])
    assert ended["state"] == "failed"
    assert "should start with user keyword" in ended["error"]
    assert owner.client.instances.get(instance["id"])["fault"]["message"] == ended["error"]


# --- templates ---


@pytest.mark.parametrize("engine", ENGINES)
def test_a_damaged_template_is_built_again(argosy: Deployment, owner: Owner, engine: str) -> None:
    owner.delete(owner.ready(engine)["id"])
    name = {"mariadb": "mysql"}.get(engine, engine)
    (template, *_) = argosy.state.glob(f"pool/templates/{name}-*.img")
    before = template.stat().st_ino
    with template.open("r+b") as file:
        file.seek(os.lseek(file.fileno(), 0, os.SEEK_DATA))
        file.write(b"\xff" * 64)
    instance = owner.ready(engine)
    assert template.stat().st_ino != before
    owner.answers(instance, engine)


# --- ports ---


def test_an_address_in_use_is_passed_over(owner: Owner) -> None:
    with listening(ADDRESSES[1::2], 6379):
        made = [owner.ready("redis", f"r{number}") for number in range(3)]
        assert {each["endpoints"][0]["host"] for each in made} <= set(ADDRESSES[::2])
        for each in made:
            owner.answers(each, "redis")


def test_a_port_in_use_everywhere_is_told(owner: Owner) -> None:
    with listening(ADDRESSES, 6379):
        failed(owner, owner.create("redis"), "6379 is in use", "stop what listens")
    owner.answers(owner.ready("redis"), "redis")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_port_taken_from_a_server_that_was_down(owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    inside = instance["endpoints"][0]
    processes = list(machines.pids_of(instance["id"]))
    server = machines.engine_of(instance["id"])
    init = next(pid for pid in processes if Path(f"/proc/{server}/status").read_text().find(f"PPid:\t{pid}\n") >= 0)
    os.kill(init, signal.SIGSTOP)
    machines.kill(server)
    with ExitStack() as until:
        eventually(lambda: until.enter_context(listening([inside["host"]], inside["port"])) is None)
        os.kill(init, signal.SIGCONT)
        complains(owner, instance, "FAILED", "(?i)address already in use")
    owner.healthy(instance["id"])
    owner.answers(instance, engine)


@contextmanager
def listening(addresses: Sequence[str], port: int) -> Iterator[None]:
    """Somebody else, on all of these."""
    with ExitStack() as sockets:
        for address in addresses:
            each = sockets.enter_context(socket.socket())
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                each.bind((address, port))
            except OSError as error:
                raise AssertionError(f"{address}:{port}: {error}") from error
            each.listen()
        yield


# --- the conductor ---


def test_an_unreachable_conductor_is_waited_for_and_named(argosy: Deployment, owner: Owner) -> None:
    kept = owner.ready("postgresql")
    with stopped(argosy, "conductor"):
        patient, hopeless = owner.create("redis", "patient"), owner.create("redis", "hopeless")
        for each in (patient, hopeless):
            names_the_conductor(owner, each)
        complains(owner, kept, "ERROR", "has not reported for a while.*argosy status")
        owner.answers(kept, "postgresql")
        expire(argosy, hopeless["id"])
        failed(owner, hopeless, "has not reached the conductor", "argosy status")
    assert owner.ended(patient["id"])["state"] == "done"
    owner.answers(owner.healthy(patient["id"]), "redis")
    owner.healthy(kept["id"])


def names_the_conductor(owner: Owner, instance: Document) -> None:
    def look() -> bool:
        newest = owner.client.instances.operations(instance["id"])["operations"][0]
        return "has not reached the conductor" in newest.get("waiting_for", "")

    eventually(look, within=20)


def expire(argosy: Deployment, instance: str) -> None:
    """Nobody waits for a quarter of an hour here."""
    with argosy.database.write() as session:
        mine = (Run.subject == instance) & (Run.state == "active")
        session.execute(update(Run).where(mine).values(deadline_at=1.0))
        queue.wake(session, session.scalars(select(Run.id).where(mine)).one())


@contextmanager
def stopped(argosy: Deployment, role: str) -> Iterator[None]:
    argosy.kill(role, signal.SIGSTOP)
    try:
        yield
    finally:
        argosy.kill(role, signal.SIGCONT)


# --- the clock ---


@pytest.mark.parametrize("days", [1, -1], ids=["set back", "set forward"])
def test_a_clock_that_was_set_hides_no_dead_server(argosy: Deployment, owner: Owner, days: int) -> None:
    """All that was written by another time is a day off; then the machine's guests die, and so does the conductor."""
    instance = owner.ready("postgresql")
    door = owner.door(instance)
    door.ask(KEEP)
    argosy.down()
    shift(argosy, instance["id"], days * DAY)
    for pid in list(machines.pids_of(instance["id"])):
        machines.kill(pid)
    argosy.up()
    eventually(lambda: machines.engine_of(instance["id"]), within=60)
    owner.healthy(instance["id"])
    answering(door, "postgresql")
    assert door.ask("SELECT it FROM kept") == "42"
    assert door.ask("SELECT 1") == "1"


def shift(argosy: Deployment, instance: str, seconds: float) -> None:
    with argosy.database.write() as session:
        told = clock.now() + seconds
        session.execute(update(Guest).where(Guest.id == instance).values(seen_at=told, health_at=told, connected=True))
        session.execute(update(Run).values(created=Run.created + seconds))
