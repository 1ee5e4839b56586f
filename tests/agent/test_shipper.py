"""An agent that ships its engine's log: every write arrives, whatever dies or is away, and the engine comes first."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from argosy.db.tables import Archive, ArchiveFile, ArchiveStream
from argosy.engines.redis import wire
from argosy.stores import chunks, deployment
from argosy.stores.gcm import Gcm, Unsealable
from argosy.testing.agents import RealGuest
from argosy.testing.channel import Channel
from argosy.testing.waiting import eventually

KEY = secrets.token_hex(32)
KEEP = 64 << 20


@pytest.fixture
def shipping(channel: Channel, guest: Callable[..., RealGuest]) -> RealGuest:
    """A guest with a Redis that ships its log."""
    channel.start()
    made = guest("redis")
    made.start()
    made.do("prepare", master="secret", databases=[], users=[])
    begin(made, 1)
    eventually(lambda: any(name.endswith(".rdb") for name in stored(made, 1)))
    return made


def begin(guest: RealGuest, stream: int, keep: int = KEEP) -> None:
    with guest.channel.database.write() as session:
        session.merge(Archive(instance_id=guest.id, project_id="p", stream=stream, created=0.0, updated=0.0))
        session.merge(
            ArchiveStream(
                instance_id=guest.id,
                number=stream,
                project_id="p",
                place=place(guest, stream),
                data_key=KEY,
                version_id="v",
                generation=1,
                asked=0.0,
                position={},
                stored_bytes=0,
            )
        )
    guest.do("archive", stream=stream, key=KEY, interval=0.1, keep_bytes=keep)


def place(guest: RealGuest, stream: int) -> str:
    return f"c/p/archive/{guest.id}/{stream:08d}/"


def stored(guest: RealGuest, stream: int) -> dict[str, bytes]:
    """Each file of the log as the store has it, opened and proven."""
    store, prefix = deployment.store(guest.channel.settings), place(guest, stream)
    files: dict[str, bytes] = {}
    for key in store.list(prefix):
        with store.open(key) as chunk:
            head, data = chunks.opened(AESGCM(bytes.fromhex(KEY)), chunk.read())
        assert head.offset == len(files.get(head.file, b""))
        files[head.file] = files.get(head.file, b"") + data
    return files


def write(guest: RealGuest, *rows: int) -> None:
    secret = (guest.state / "administrator").read_text()
    with wire.Connection(guest.state / "redis.sock", "os_admin", secret, 10) as session:
        for row in rows:
            session.command("RPUSH", "rows", f"row-{row}-")


def writes(guest: RealGuest, row: int) -> bool:
    """Whether the server answers again."""
    with contextlib.suppress(OSError, wire.ServerError):
        write(guest, row)
        return True
    return False


def has(guest: RealGuest, *rows: int, stream: int = 1) -> Callable[[], bool]:
    """Whether the store has exactly these, in order."""

    def look() -> bool:
        text = b"".join(data for name, data in sorted(stored(guest, stream).items()) if name.endswith(".aof"))
        found = [int(each.split(b"-")[1]) for each in text.split(b"\r\n") if each.startswith(b"row-")]
        assert found == list(rows)
        return True

    return look


def told(guest: RealGuest, name: str) -> float:
    """By the last heartbeat; -1 when it said nothing of it."""
    return float(guest.channel.guest(guest.id).metrics.get(f"archive_{name}", -1))


def test_what_is_written_arrives(shipping: RealGuest) -> None:
    write(shipping, 1, 2, 3)
    eventually(has(shipping, 1, 2, 3))
    stream = eventually(lambda: noted(shipping))
    assert stream.latest >= stream.committed - 1
    eventually(lambda: told(shipping, "backlog_bytes") == 0)
    eventually(lambda: told(shipping, "latest") > stream.latest)


def noted(guest: RealGuest) -> Any:
    """The stream's row, once it tells of all that there is."""
    with guest.channel.database.read() as session:
        stream = session.get_one(ArchiveStream, (guest.id, 1))
        grown = [each for each in session.query(ArchiveFile) if not each.begins]
    assert stream.committed is not None
    assert [stream.position] == [{"file": each.name, "offset": each.bytes} for each in grown]
    return stream


@pytest.mark.parametrize("who", ["agent", "conductor", "engine", "init"])
def test_nothing_is_missing_or_twice_after_a_kill(shipping: RealGuest, who: str) -> None:
    write(shipping, 1, 2)
    kill(shipping, who)
    eventually(lambda: writes(shipping, 3))
    eventually(has(shipping, 1, 2, 3), within=60)


def kill(guest: RealGuest, who: str) -> None:
    if who == "conductor":
        guest.channel.kill()
        guest.channel.start()
    elif who == "agent":
        guest.kill_agent()
    elif who == "engine":
        os.kill(guest.ask_init()["pid"], signal.SIGKILL)
    else:
        assert guest.init is not None
        guest.init.kill()
        guest.init.wait(10)
        guest.start()


def test_a_conductor_that_is_away_costs_nothing_but_time(shipping: RealGuest) -> None:
    shipping.channel.kill()
    write(shipping, *range(1, 400))
    shipping.channel.start()
    eventually(has(shipping, *range(1, 400)))


def test_an_answer_that_was_lost_is_made_up_for(shipping: RealGuest) -> None:
    """The agent forgets how far it was: what is there already is neither taken twice nor refused."""
    write(shipping, 1)
    eventually(has(shipping, 1))
    (shipping.state / "archive.place").unlink()
    shipping.kill_agent()
    write(shipping, 2)
    eventually(has(shipping, 1, 2))


def test_a_chunk_that_is_stored_and_was_not_noted_is_found(shipping: RealGuest) -> None:
    """The conductor died between the store and its database."""
    write(shipping, 1)
    eventually(has(shipping, 1))
    with shipping.channel.database.write() as session:
        for row in session.query(ArchiveFile):
            session.delete(row)
    (shipping.state / "archive.place").unlink()
    shipping.kill_agent()
    write(shipping, 2)
    eventually(has(shipping, 1, 2))


def test_history_gives_way_and_says_so(shipping: RealGuest) -> None:
    shipping.do("archive", stream=1, key=KEY, interval=0.1, keep_bytes=1000)
    shipping.channel.kill()
    secret = (shipping.state / "administrator").read_text()
    with wire.Connection(shipping.state / "redis.sock", "os_admin", secret, 30) as session:
        for _ in range(2):
            session.command("SET", "large", "x" * 100_000)
            session.command("BGREWRITEAOF")
            eventually(lambda: "aof_rewrite_in_progress:0" in str(session.command("INFO", "persistence")))
    eventually(lambda: not (shipping.site.data / "history").exists(), within=60)
    shipping.channel.start()
    eventually(lambda: told(shipping, "lost") == 1)
    begin(shipping, 2)
    write(shipping, 7)
    eventually(has(shipping, 7, stream=2))
    eventually(lambda: (told(shipping, "stream"), told(shipping, "lost")) == (2, 0))


def test_off_is_off(shipping: RealGuest) -> None:
    shipping.do("archive", stream=0)
    assert not (shipping.site.data / "history").exists()
    write(shipping, 1)
    shipping.kill_agent()
    eventually(lambda: told(shipping, "stream") == -1, within=60)
    assert has(shipping)()


def test_it_is_sealed_as_everybody_else_would() -> None:
    key, nonce, data = secrets.token_bytes(32), secrets.token_bytes(12), secrets.token_bytes(100_000)
    sealed = Gcm(key).encrypt(nonce, data, b"head")
    assert sealed == AESGCM(key).encrypt(nonce, data, b"head")
    assert Gcm(key).decrypt(nonce, sealed, b"head") == data
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(Unsealable):
            Gcm(key).decrypt(nonce, changed, b"head")
    with pytest.raises(Unsealable):
        Gcm(key).decrypt(nonce, sealed, b"other head")
