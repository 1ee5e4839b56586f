"""Redis's log, shipped while it is written and replayed to many moments."""

from __future__ import annotations

import os
import random
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.engines.archiving import LogFile, Logs, Target
from argosy.model.guest import Identity, Secret
from argosy.testing import hands, servers
from argosy.testing.clients import Login, Tenant
from argosy.testing.servers import Farm, Server
from argosy.testing.waiting import eventually

SEED = int(os.environ.get("ARGOSY_SEED") or random.randrange(10**6))


def identity() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with servers.farm() as farm:
        yield farm


@pytest.fixture(scope="module")
def template(farm: Farm) -> Server:
    return farm.template(registry.get("redis"), servers.require("redis", "7.0"))


@pytest.fixture
def server(farm: Farm, template: Server) -> Iterator[Server]:
    server = farm.clone(template, identity())
    server.start()
    yield server
    server.stop()


def master(server: Server) -> Login:
    password = Secret.generate()
    server.hands.call("put_master", password)
    return server.login("root", password)


class Shipper:
    """Copies what is new, as the agent does."""

    def __init__(self, server: Server, place: Path) -> None:
        self.server, self.place = server, place
        place.mkdir()
        self.shipped: dict[str, int] = {}

    def ship(self) -> list[LogFile]:
        files: list[LogFile] = self.server.hands.call("log_files")
        for each in files:
            with each.path.open("rb") as source, (self.place / each.name).open("ab") as out:
                source.seek(self.shipped.get(each.name, 0))
                out.write(source.read(each.size - source.tell()))
            self.shipped[each.name] = each.size
            self.server.hands.call("log_shipped", each.name, each.size)
        return files

    def whole(self) -> bool:
        return any(each.name.endswith(".rdb") for each in self.ship())


@pytest.fixture
def shipper(server: Server, farm: Farm) -> Shipper:
    shipper = Shipper(server, farm.home / f"logs-{uuid.uuid4().hex[:6]}")
    eventually(shipper.whole)
    return shipper


def replayed(farm: Farm, template: Server, shipper: Shipper, target: Target) -> tuple[Server, Tenant]:
    """A new server at that moment, and the master's connection to it. Raises what the replay does."""
    server = farm.clone(template, identity())
    logs = server.home / "logs"
    shutil.copytree(shipper.place, logs)
    hands.give(logs)
    server.hands.call("replay", Logs.there(logs), {}, target)
    server.start()
    return server, server.connect(master(server))


def test_every_position_gives_exactly_its_prefix(
    farm: Farm, template: Server, server: Server, shipper: Shipper
) -> None:
    tenant, told = server.connect(master(server)), []
    for number in range(600):
        tenant.run(f"RPUSH rows {number}")
        if number % 50 == 0:
            told.append((number, server.hands.call("log_moment").position))
        if number == 300:
            rewrite(server)
        if number % 97 == 0:
            shipper.ship()
    shipper.ship()
    for number, position in random.Random(SEED).sample(told, 5):
        at = Target(position=f"{position['file']}:{position['offset']}")
        restored, look = replayed(farm, template, shipper, at)
        assert look.run("LRANGE rows 0 -1") == [str(each) for each in range(number + 1)], (SEED, position)
        restored.stop()


def test_a_time_gives_a_prefix_that_ends_within_its_second(
    farm: Farm, template: Server, server: Server, shipper: Shipper
) -> None:
    tenant, written = server.connect(master(server)), []
    end = time.time() + 4
    while time.time() < end:
        tenant.run(f"RPUSH rows {len(written)}")
        written.append(time.time())
        if len(written) == 200:
            rewrite(server)
    shipper.ship()
    for moment in random.Random(SEED).sample(written, 4):
        restored, look = replayed(farm, template, shipper, Target(time=moment))
        rows = [int(each) for each in look.run("LRANGE rows 0 -1")]
        assert rows == list(range(len(rows))), SEED
        last = written[len(rows) - 1] if rows else written[0]
        assert abs(last - moment) <= 1.2, (SEED, moment, last)
        restored.stop()


def test_a_transaction_is_there_whole_or_not_at_all(
    farm: Farm, template: Server, server: Server, shipper: Shipper
) -> None:
    tenant = server.connect(master(server))
    tenant.run("SET a 1")
    tenant.run("EVAL redis.call('set',KEYS[1],1);redis.call('set',KEYS[2],1) 2 b c")
    shipper.ship()
    [grown] = shipper.place.glob("*.incr.aof")
    inside = grown.read_bytes().index(b"\r\nb\r\n") + 20
    restored, look = replayed(farm, template, shipper, Target(position=f"{grown.name}:{inside}"))
    assert (look.run("EXISTS a"), look.run("EXISTS b"), look.run("EXISTS c")) == (1, 0, 0)
    restored.stop()


def test_what_was_half_written_is_not_shipped(server: Server, shipper: Shipper) -> None:
    server.connect(master(server)).run("SET a 1")
    files = shipper.ship()
    server.kill()
    with files[-1].path.open("ab") as torn:
        torn.write(b"*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$5\r\n12")
    assert server.hands.call("log_files")[-1].size == files[-1].size
    server.start()
    server.connect(master(server)).run("SET c 1")
    shipper.ship()
    assert shipper.place.joinpath(files[-1].name).read_bytes() == files[-1].path.read_bytes()


def test_files_stay_until_they_are_shipped_and_no_longer(server: Server, shipper: Shipper) -> None:
    tenant = server.connect(master(server))
    tenant.run(f"SET a {'x' * 10_000}")
    before = [each.name for each in server.hands.call("log_files")]
    rewrite(server)
    eventually(lambda: len(server.hands.call("log_files")) == 4)
    shipper.ship()
    after = [each.name for each in server.hands.call("log_files")]
    assert len(after) == 2
    assert not set(after) & set(before)


@pytest.mark.usefixtures("shipper")
def test_history_gives_way_to_room(server: Server) -> None:
    server.connect(master(server)).run(f"SET a {'x' * 100_000}")
    rewrite(server)
    eventually(lambda: len(server.hands.call("log_files")) == 4)
    lost = server.hands.call("log_give_up", 1000)
    assert [name.partition(".")[2] for name in lost] == ["base.rdb", "incr.aof"]
    assert len(server.hands.call("log_files")) == 2
    assert server.hands.call("log_give_up", 0) == ()
    assert not (server.site.data / "history").exists()


def test_a_gap_and_a_moment_too_early_are_named(farm: Farm, template: Server, server: Server, shipper: Shipper) -> None:
    tenant = server.connect(master(server))
    tenant.run("SET a 1")
    with pytest.raises(errors.Unprocessable, match="begins at"):
        replayed(farm, template, shipper, Target(time=time.time() - 3600))
    with pytest.raises(errors.Unprocessable, match="ends before"):
        replayed(farm, template, shipper, Target(position="0000000099.incr.aof:1"))
    with pytest.raises(errors.Unprocessable, match="transactions"):
        replayed(farm, template, shipper, Target(transaction="0-1-2"))
    [grown] = shipper.place.glob("*.incr.aof")
    grown.rename(grown.with_name("0000000777.incr.aof"))
    with pytest.raises(errors.GuestFailed, match="is missing"):
        replayed(farm, template, shipper, Target())


def rewrite(server: Server) -> None:
    """As Redis does by itself, once its log has grown."""
    manifest = server.site.data / "db" / "appendonlydir" / "appendonly.aof.manifest"
    before = manifest.read_text().splitlines()[0]
    server.hands.call("_write_anew")
    eventually(lambda: manifest.read_text().splitlines()[0] != before)
