"""A hostile guest: whatever it says, only its own row is changed, and nobody else is slowed down."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from argosy import errors
from argosy.agent.door import Door, Link, Lost, Refused
from argosy.db.tables import Endpoint
from argosy.guest import enrolment
from argosy.model import wire
from argosy.testing.channel import Channel
from argosy.testing.guests import trust
from argosy.testing.waiting import eventually

Greet = Callable[..., Link]
Credential = Callable[[str], str]
INJECTION = "'; DROP TABLE guests; --"


@pytest.fixture
def raw(channel: Channel, credential: Credential) -> Callable[[], ClientConnection]:
    """A bare WebSocket of an honest credential."""

    def dial() -> ClientConnection:
        return connect(
            f"{channel.url.replace('https', 'wss')}/v1/guest",
            ssl=trust(channel.authority.pem),
            additional_headers={"Authorization": f"Bearer {credential(channel.expect())}"},
        )

    return dial


def beat(seq: int = 1, boot: str = "b1", **claims: Any) -> wire.Heartbeat:
    return wire.Heartbeat(boot, seq, **{"health": "healthy", **claims})


def test_a_token_is_worth_nothing_once_the_credential_was_used(
    channel: Channel, door: Door, credential: Credential, greet: Greet
) -> None:
    guest = channel.expect()
    first = credential(guest)
    second = credential(guest)
    with pytest.raises(Refused):
        door.open(first)
    greet(guest, second)
    with pytest.raises(Refused):
        credential(guest)


@pytest.mark.parametrize("shown", ["", "x", ".", "nobody.00", f"{INJECTION}.0", "a" * 5000, "\u00e9.\u00e9"])
def test_forged_credentials_open_nothing(channel: Channel, shown: str) -> None:
    headers = {"Authorization": f"Bearer {shown}"}
    url = f"{channel.url.replace('https', 'wss')}/v1/guest"
    with pytest.raises((InvalidStatus, UnicodeEncodeError)) as refusal:
        connect(url, ssl=trust(channel.authority.pem), additional_headers=headers)
    if isinstance(refusal.value, InvalidStatus):
        assert refusal.value.response.status_code == 401


def test_one_guests_secret_does_not_open_anothers_row(channel: Channel, door: Door, credential: Credential) -> None:
    mine, other = channel.expect(), channel.expect()
    secret = credential(mine).partition(".")[2]
    credential(other)
    with pytest.raises(Refused):
        door.open(f"{other}.{secret}")


def test_a_token_of_another_guest_or_generation_opens_nothing(channel: Channel, door: Door) -> None:
    mine, other = channel.expect(), channel.expect(generation=2)
    token = channel.boot(mine)["token"]
    old = enrolment.token(other, 1)
    for guest, generation, shown in ((other, 2, token), (mine, 2, token), (other, 1, old), (other, 2, old)):
        with pytest.raises(Refused):
            door.post("/v1/enrol", {"guest": guest, "generation": generation, "token": shown})


def test_a_guest_cannot_answer_anothers_command(channel: Channel, greet: Greet) -> None:
    victim = channel.expect()
    command = channel.ask(victim, "prepare", master="secret")
    attacker = greet()
    attacker.send(wire.Answer(command, {"version": "evil"}))
    attacker.send(wire.Progress(command, 99, 99))
    mine = channel.expect()
    honest = greet(mine)
    own = channel.ask(mine, "noop")
    honest.send(wire.Answer(own, {}))
    channel.await_answer(own)
    row = channel.command(command)
    assert (row.answered, row.done, row.arguments) == (False, 0, {"master": "secret"})


def test_answers_to_commands_that_were_never_sent_change_nothing(greet: Greet) -> None:
    link = greet()
    for name in ("", "nothing", INJECTION, "x" * 10_000, "nul\0byte", "\ud800"):
        link.send(wire.Answer(name, {"a": 1}))
    received = [link.receive() for _ in range(6)]
    assert all(isinstance(frame, wire.Received) for frame in received)


def test_no_guest_gets_anothers_commands(channel: Channel, greet: Greet) -> None:
    other = channel.expect()
    link = greet(channel.expect())
    channel.ask(other, "secret")
    mine = channel.expect()
    third = greet(mine)
    own = channel.ask(mine, "noop")
    assert third.receive() == wire.Command(own, "noop")
    link._connection.socket.settimeout(0.2)  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        link._connection.recv(timeout=0.3)  # type: ignore[attr-defined]


def test_a_certificate_names_only_the_guests_own_endpoints(
    channel: Channel, door: Door, credential: Credential
) -> None:
    from cryptography import x509

    mine, bare = channel.expect(host="127.9.9.9"), channel.expect()
    told = door.post("/v1/guest/certificate", {"names": ["victim.example"], "guest": "other"}, credential(mine))
    certificate = x509.load_pem_x509_certificate(told["certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["127.9.9.9"]
    with channel.database.write() as session:
        session.delete(session.get_one(Endpoint, bare))
    with pytest.raises(errors.GuestFailed, match="no endpoint"):
        door.post("/v1/guest/certificate", {}, credential(bare))


NONSENSE: list[str | bytes] = [
    "",
    "{",
    "[]",
    "null",
    "7",
    '{"kind": []}',
    '{"kind": "heartbeat"}',
    '{"kind": "heartbeat", "boot": 1, "seq": 1, "health": "healthy"}',
    '{"kind": "heartbeat", "boot": "b", "seq": "1", "health": "healthy"}',
    '{"kind": "heartbeat", "boot": "b", "seq": 1, "health": "splendid"}',
    '{"kind": "heartbeat", "boot": "b", "seq": 1, "health": "healthy", "metrics": {"x": "y"}}',
    '{"kind": "heartbeat", "boot": "b", "seq": 1, "health": "healthy", "metrics": {"x": NaN}}',
    '{"kind": "heartbeat", "boot": "b", "seq": true, "health": "healthy"}',
    '{"kind": "answer", "id": {}, "result": {}}',
    '{"kind": "answer", "id": "x", "result": []}',
    "[" * 200_000,
    b"\x00\xff",
]


@pytest.mark.parametrize("frame", NONSENSE, ids=lambda frame: str(frame)[:40])
def test_nonsense_ends_the_connection_and_nothing_else(
    channel: Channel, raw: Callable[[], ClientConnection], frame: str | bytes
) -> None:
    with raw() as socket_:
        socket_.send(wire.encode(wire.Hello([1], "test", "b")))
        socket_.recv()
        socket_.send(frame)
        with pytest.raises(ConnectionClosed) as end:
            socket_.recv(timeout=10)
    assert end.value.rcvd is not None
    assert end.value.rcvd.code == 4400
    assert "traceback" not in channel.log.read_text()


def test_a_huge_frame_ends_the_connection(raw: Callable[[], ClientConnection]) -> None:
    with raw() as socket_:
        socket_.send(wire.encode(wire.Hello([1], "test", "b")))
        socket_.recv()
        with contextlib.suppress(ConnectionClosed):
            socket_.send("x" * (wire.MAX_FRAME + 1))
        with pytest.raises(ConnectionClosed) as end:
            socket_.recv(timeout=10)
    # Who closes before all was read resets the connection, and what it said last may be lost with that (RFC 1122).
    assert end.value.rcvd is None or end.value.rcvd.code == 1009


@pytest.mark.parametrize("path", ["/v1/enrol", "/v1/guest/frames"])
def test_a_huge_body_is_refused(door: Door, channel: Channel, credential: Credential, path: str) -> None:
    with pytest.raises((errors.GuestFailed, Lost)):
        door.post(path, ["x" * wire.MAX_FRAME], credential(channel.expect()))


@pytest.mark.parametrize("protocols", [[], [0], [99], [-1, 2**40]])
def test_an_agent_that_speaks_no_known_protocol_is_told_so(
    raw: Callable[[], ClientConnection], protocols: list[int]
) -> None:
    with raw() as socket_:
        socket_.send(wire.encode(wire.Hello(protocols, "ancient", "b")))
        with pytest.raises(ConnectionClosed) as end:
            socket_.recv(timeout=10)
    assert end.value.rcvd is not None
    assert "no protocol in common" in end.value.rcvd.reason


def test_the_first_frame_must_be_hello(raw: Callable[[], ClientConnection]) -> None:
    with raw() as socket_:
        socket_.send(wire.encode(beat()))
        with pytest.raises(ConnectionClosed, match="hello"):
            socket_.recv(timeout=10)


def test_strings_of_sql_and_broken_unicode_are_kept_as_text(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    link.send(beat(message=INJECTION + "\0\ud800", version="v" * 5000, metrics={INJECTION: 1.0, "huge": 10.0**300}))
    eventually(lambda: channel.guest(guest).message.startswith(INJECTION))
    row = channel.guest(guest)
    assert len(row.version) == 64
    assert row.metrics[INJECTION] == 1.0
    assert "\0" not in row.message


def test_numbers_beyond_what_the_database_holds_are_cut(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    link.send(beat(10**30, volume_used=-5, volume_total=10**25, metrics={"int": 10**400}))
    eventually(lambda: channel.guest(guest).volume_total > 0)
    row = channel.guest(guest)
    assert (row.seq, row.volume_used, row.volume_total) == (2**63 - 1, 0, 2**63 - 1)


def test_an_old_heartbeat_changes_nothing(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    link.send(beat(5, health="healthy"))
    eventually(lambda: channel.guest(guest).seq == 5)
    link.send(beat(4, health="failed"))
    link.send(beat(9, boot="another", health="failed"))
    link.send(beat(6, health="blocked"))
    eventually(lambda: channel.guest(guest).seq == 6)
    assert channel.guest(guest).health == "blocked"


def test_a_flood_is_read_slowly_and_others_are_not(channel: Channel, greet: Greet) -> None:
    flooder, honest = channel.expect(), channel.expect()
    loud, quiet = greet(flooder), greet(honest)
    loud._connection.socket.settimeout(0.5)  # type: ignore[attr-defined]
    for seq in range(2_000):
        loud.send(beat(seq + 1, health=("healthy", "blocked")[seq % 2]))
    command = channel.ask(honest, "noop")
    assert quiet.receive() == wire.Command(command, "noop")
    quiet.send(wire.Answer(command, {}))
    assert channel.await_answer(command, within=5).answered
    assert channel.guest(flooder).seq < 1_000


def test_a_deleted_guest_is_put_out(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    link = greet(guest)
    with channel.database.write() as session:
        enrolment.forget(session, guest)
    with pytest.raises(Lost):
        eventually(lambda: link.receive() and False, within=10)


def test_an_older_generation_is_put_out_and_changes_nothing(channel: Channel, greet: Greet) -> None:
    guest = channel.expect()
    zombie = greet(guest)
    channel.expect(guest, generation=2)
    zombie.send(beat(7, health="healthy"))
    with pytest.raises(Lost):
        eventually(lambda: zombie.receive() and False, within=10)
    row = channel.guest(guest)
    assert (row.seq, row.health, row.connected) == (0, "unknown", False)


def test_connections_that_say_nothing_do_not_keep_others_out(channel: Channel, greet: Greet) -> None:
    port = channel.settings.conductor.port
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    try:
        assert greet() is not None
    finally:
        for each in idle:
            each.close()


def test_the_health_check_needs_no_credential_and_tells_nothing(channel: Channel) -> None:
    with channel.dial() as line:
        line.sendall(b"GET /healthcheck HTTP/1.0\r\nHost: x\r\n\r\n")
        text = b"".join(iter(lambda: line.recv(4096), b"")).decode()
    told = json.loads(text.partition("\r\n\r\n")[2])
    assert (told["status"], set(told)) == ("ok", {"status", "guests"})
