"""Public ports of the local provider: who gets through from where, and what becomes of the program that forwards."""

import ipaddress
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.providers.base import Outside, PortSpec, State
from argosy.providers.local import parts
from argosy.providers.local.faces import face
from argosy.providers.local.forwarder import admits
from argosy.providers.local.networks import free
from argosy.providers.local.processes import Holders
from argosy.settings import BadSetting, Provider
from argosy.testing import leftovers
from argosy.testing.waiting import eventually

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
LEVELS = [pytest.param("root", marks=root), "user"]


@contextmanager
def echo(address: str) -> Iterator[int]:
    """Stands for a database; the port that it listens on."""
    with socket.create_server((address, 0)) as server:
        threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_repeat, args=(client,), daemon=True).start()


def _repeat(client: socket.socket) -> None:
    with client, suppress(ConnectionError):
        while data := client.recv(65_536):
            client.sendall(data)


@dataclass
class Published:
    """One port whose guest is an echo."""

    provider: parts.Parts
    name: str = field(default_factory=lambda: str(uuid.uuid4()))
    port: int = 0

    def tell(self, *allowed: str, public: bool = True) -> Outside | None:
        """Once it is so."""
        spec = PortSpec(self.name, "p", self.port, public=public, allowed=allowed)
        eventually(lambda: self.provider.networks.ensure(spec).state is State.ACTIVE, within=20)
        return self.provider.networks.look(self.name).outside

    def pids(self) -> set[int]:
        home = self.provider.ground.layout.published / self.name
        return set(Holders([home / "lock"]).members()) if home.exists() else set()


@pytest.fixture(params=LEVELS)
def published(request: pytest.FixtureRequest, configured: Callable[..., settings.Settings]) -> Iterator[Published]:
    told = configured(publish_addresses="127.0.0.1")
    made = parts.as_root(told) if request.param == "root" else parts.as_user(told)
    found = Published(made)
    address = made.networks.ensure(PortSpec(found.name, "p", 0)).address
    with echo(address) as found.port:
        yield found
    made.networks.delete(found.name)
    assert not found.pids()


def repeated(place: Outside | None, source: str = "127.0.0.1", words: bytes = b"hello") -> bytes:
    """What comes back; nothing when the connection is refused or cut."""
    assert place is not None
    try:
        with socket.create_connection((place.hosts[0], place.port), timeout=10, source_address=(source, 0)) as client:
            client.sendall(words)
            with suppress(OSError):  # ENOTCONN: cut by now
                client.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: client.recv(65_536), b""))
    except ConnectionError:
        return b""


def test_bytes_go_through_both_ways_and_to_the_end(published: Published) -> None:
    words = os.urandom(5_000_000)
    place = published.tell()
    with socket.create_connection((place.hosts[0], place.port), timeout=20) as client:
        sending = threading.Thread(target=lambda: (client.sendall(words), client.shutdown(socket.SHUT_WR)))
        sending.start()
        assert b"".join(iter(lambda: client.recv(65_536), b"")) == words
        sending.join()


def test_only_allowed_networks_get_through(published: Published) -> None:
    place = published.tell("127.9.0.0/16")
    assert repeated(place, "127.9.3.4") == b"hello"
    assert repeated(place, "127.8.3.4") == b""
    log = (published.provider.ground.layout.published / published.name / "forwarder.log").read_text()
    assert "refused: 127.8.3.4 is not allowed" in log


def test_a_connection_that_is_not_allowed_any_more_ends_and_others_stay(published: Published) -> None:
    place = published.tell()
    one, other = (
        socket.create_connection((place.hosts[0], place.port), timeout=10, source_address=(source, 0))
        for source in ("127.9.3.4", "127.8.3.4")
    )
    with one, other:
        for each in (one, other):
            each.sendall(b"a")
            assert each.recv(1) == b"a"
        assert published.tell("127.9.0.0/16") == place
        assert other.recv(1) == b""
        one.sendall(b"b")
        assert one.recv(1) == b"b"


def test_what_is_not_public_any_more_is_closed_and_keeps_its_port(published: Published) -> None:
    place = published.tell()
    assert published.tell(public=False) is None
    assert not published.pids()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.hosts[0], place.port), timeout=10)
    assert published.tell() == place


def test_a_killed_forwarder_is_seen_and_comes_back(published: Published) -> None:
    place = published.tell("127.0.0.0/8")
    (pid,) = published.pids()
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: published.provider.networks.look(published.name).state is State.STOPPED, within=10)
    assert published.tell("127.0.0.0/8") == place
    assert repeated(place) == b"hello"


def test_what_runs_is_adopted(published: Published) -> None:
    published.tell()
    before = published.pids()
    published.tell()
    assert published.pids() == before
    assert len(before) == 1


def test_it_is_small_and_has_no_rights_of_root(published: Published) -> None:
    published.tell()
    (pid,) = published.pids()
    told = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    if published.provider.ground.networks.publishing.users is not None:
        assert "0" not in told["Uid"].split() + told["Gid"].split()
        assert told["Groups"].split() == []
        assert {told["CapPrm"], told["CapEff"]} == {"0" * 16}
        assert told["NoNewPrivs"] == "1"
    memory = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    assert int(memory["Pss"].split()[0]) < 10_240


def test_it_counts_what_it_lets_in_and_what_not(published: Published) -> None:
    place = published.tell("127.9.0.0/16")
    repeated(place, "127.9.3.4")
    repeated(place, "127.8.3.4")
    lock = published.provider.ground.layout.published / published.name / "lock"
    eventually(lambda: '"accepted": 1, "refused": 1, "open": 0' in lock.read_text(), within=20)


def test_many_at_once_are_kept_apart_and_nothing_stays_open(published: Published) -> None:
    place = published.tell()
    (pid,) = published.pids()
    before = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names are all that is wanted
    clients = [socket.create_connection((place.hosts[0], place.port), timeout=20) for _ in range(150)]
    for number, client in enumerate(clients):
        client.sendall(f"{number:09}".encode() * 1000)
    for number, client in enumerate(clients):
        if number % 3 == 0:  # gone without a word, with an answer on its way
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.shutdown(socket.SHUT_WR)
            told = b"".join(iter(lambda: client.recv(65_536), b""))  # noqa: B023 - used at once
            assert told == f"{number:09}".encode() * 1000
        client.close()
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) == before, within=20)  # noqa: PTH208


def test_ipv6_is_a_way_in_too(configured: Callable[..., settings.Settings]) -> None:
    if not free("::1", 0):
        pytest.skip("there is no IPv6")
    made = parts.as_user(configured(publish_addresses="::1, 127.0.0.1"))
    guest = Published(made)
    address = made.networks.ensure(PortSpec(guest.name, "p", 0)).address
    with echo(address) as guest.port:
        place = guest.tell("::1/128")
        assert repeated(place, "::1") == b"hello"
        assert repeated(Outside(("127.0.0.1",), place.port)) == b""
        assert repeated(guest.tell("127.0.0.0/8"), "::1") == b""
    made.networks.delete(guest.name)


def test_a_port_that_somebody_else_took_meanwhile_is_had_back_once_it_is_free(published: Published) -> None:
    place = published.tell()
    published.tell(public=False)
    with socket.create_server((place.hosts[0], place.port)):
        spec = PortSpec(published.name, "p", published.port, public=True)
        log = published.provider.ground.layout.published / published.name / "forwarder.log"
        assert published.provider.networks.ensure(spec).state is State.BUILDING
        eventually(lambda: f"cannot listen on port {place.port}" in log.read_text(), within=20)
        assert published.provider.networks.ensure(spec).state is State.BUILDING
    assert published.tell() == place
    assert repeated(place) == b"hello"


def test_a_database_that_does_not_answer_ends_the_connection(published: Published) -> None:
    published.port = 1  # nobody listens there
    assert repeated(published.tell()) == b""


def test_a_forwarder_counts_as_left_over(published: Published) -> None:
    published.tell()
    (pid,) = published.pids()
    assert any(each.startswith(f"process {pid} ") for each in leftovers.find(published.provider.ground.layout.state))


CONNECT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5, source_address=(sys.argv[3], 0)) as client:
    client.sendall(b"hello")
    sys.stdout.write(client.recv(5).decode())
"""


@pytest.fixture
def neighbour() -> Iterator[str]:
    """Another machine: a network namespace with two addresses, and a cable to us. Its name; ours is 198.18.77.1."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    name = f"agt{uuid.uuid4().hex[:8]}"
    commands = (
        f"ip netns add {name}",
        f"ip link add {name} type veth peer name eth0 netns {name}",
        f"ip address add 198.18.77.1/24 dev {name}",
        f"ip link set {name} up",
        f"ip -n {name} address add 198.18.77.2/24 dev eth0",
        f"ip -n {name} address add 198.18.77.3/24 dev eth0",
        f"ip -n {name} link set eth0 up",
    )
    try:
        for command in commands:
            subprocess.run(command.split(), check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


def from_there(neighbour: str, place: Outside, source: str) -> str:
    """What the database says to the neighbour's address."""
    argv = ["ip", "netns", "exec", neighbour, sys.executable, "-c", CONNECT, place.hosts[0], str(place.port), source]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


SERVE = """
import socket, sys
with socket.create_server((sys.argv[1], 5432)) as server:
    print("up", flush=True)
    while True:
        client, _ = server.accept()
        client.sendall(client.recv(5))
        client.close()
"""


@pytest.mark.parametrize("network", ["loopback", "namespace"])
def test_another_machine_gets_in_by_its_allowed_address_only(
    neighbour: str, network: str, configured: Callable[..., settings.Settings]
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = parts.as_root(configured(network=network, publish_addresses="198.18.77.1"))
    made.ground.networks.prepare()
    guest = Published(made, port=5432)
    address = made.networks.ensure(PortSpec(guest.name, "p", 5432)).address
    inside = made.networks.namespace(guest.name)
    argv = ["nsenter", f"--net={inside}", "--"] if inside else []
    with subprocess.Popen([*argv, sys.executable, "-c", SERVE, address], stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout.readline() == b"up\n"
            place = guest.tell("198.18.77.2/32")
            assert from_there(neighbour, place, "198.18.77.2") == "hello"
            assert from_there(neighbour, place, "198.18.77.3") == ""
        finally:
            server.kill()
    made.networks.delete(guest.name)


def test_a_requested_address_is_had_or_refused(configured: Callable[..., settings.Settings]) -> None:
    networks = parts.as_user(configured(addresses="127.93.0.0/16")).networks

    def ask(address: str) -> str:
        return networks.ensure(PortSpec(str(uuid.uuid4()), "p", 0, requested={"ip_address": address})).address

    assert ask("127.93.4.5") == "127.93.4.5"
    for wrong in ("127.93.4.5", "127.93.4.255", "127.93.0.1", "10.0.0.5"):
        with pytest.raises(errors.BadRequest, match=r"choose (another )?one of 127\.93\.0\.0/16"):
            ask(wrong)


@pytest.mark.parametrize(
    ("source", "allowed", "expected"),
    [
        ("10.1.2.3", (), True),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("10.1.2.3", ("192.168.0.0/16", "10.1.2.3/32"), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("2001:db8::7", ("10.0.0.0/8",), False),
        ("2001:db8::7", ("2001:db8::/64",), True),
        ("fe80::7%eth0", ("fe80::/10",), True),
        ("10.1.2.3", ("::/0",), False),
        ("10.1.2.3", ("0.0.0.0/0",), True),
    ],
)
def test_who_is_admitted(source: str, allowed: tuple[str, ...], expected: bool) -> None:
    assert admits(source, [ipaddress.ip_network(each) for each in allowed]) is expected


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"publish_addresses": "db.example.org"}, "no address of this host"),
        ({"publish_addresses": "::"}, "provider.publish_names"),
        ({"publish_ports": "some"}, "no range"),
        ({"publish_ports": "80-90"}, "between 1024 and 65535"),
        ({"publish_ports": "3000-2000"}, "between 1024 and 65535"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        face(Provider(**wrong))


def test_names_are_told_instead_of_addresses() -> None:
    found = face(Provider(publish_addresses="0.0.0.0, ::", publish_names="db.example.org, 203.0.113.9"))
    assert found.listen == ("0.0.0.0", "::")  # noqa: S104 - what is being tested
    assert found.hosts == ("db.example.org", "203.0.113.9")
