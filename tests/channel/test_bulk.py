"""Parts of logs that guests bring: what a running command asks for, and not a byte elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from argosy import errors
from argosy.agent.door import Door, Refused
from argosy.db.tables import Command, LogObject
from argosy.model.wire import LOG_OBJECT_BYTES
from argosy.stores import deployment
from argosy.testing.channel import Channel

Credential = Callable[[str], str]
PART = f"log-{0:020d}"


@dataclass
class Asked:
    """A guest that is asked to publish a log."""

    channel: Channel
    door: Door
    guest: str
    credential: str
    command: str

    def bring(self, name: str = PART, data: bytes = b"a line\n", command: str = "", credential: str = "") -> None:
        path = f"/v1/guest/logs/{name}?command={command or self.command}"
        self.door.put(path, data, credential or self.credential)

    def stored(self) -> list[str]:
        return list(deployment.store(self.channel.settings).list(f"database_logs/{self.guest}/"))

    def rows(self) -> int:
        with self.channel.database.read() as session:
            return session.query(LogObject).filter_by(instance_id=self.guest).count()


@pytest.fixture
def asked(channel: Channel, door: Door, credential: Credential) -> Callable[..., Asked]:
    def ask(until: int = 10) -> Asked:
        guest = channel.expect()
        place = f"database_logs/{guest}/postgresql-general/"
        command = channel.ask(guest, "publish_log", log="general", first=0, until=until, place=place)
        return Asked(channel, door, guest, credential(guest), command)

    return ask


def test_what_was_asked_for_is_taken(asked: Callable[..., Asked]) -> None:
    guest = asked()
    guest.bring()
    assert guest.stored() == [f"database_logs/{guest.guest}/postgresql-general/{PART}"]
    assert guest.rows() == 1


def test_a_part_is_written_once(asked: Callable[..., Asked]) -> None:
    guest = asked()
    guest.bring()
    guest.bring(data=b"another story\n")
    (key,) = guest.stored()
    with deployment.store(guest.channel.settings).open(key) as kept:
        assert kept.read() == b"a line\n"
    assert guest.rows() == 1


@pytest.mark.parametrize(
    "name", ["log-1", f"log-{10:020d}", f"log-{-1:020d}", "postgresql-general_metafile", "..%2Fx", "log-" + "9" * 20]
)
def test_no_other_name_is_taken(asked: Callable[..., Asked], name: str) -> None:
    guest = asked()
    with pytest.raises(errors.GuestFailed):
        guest.bring(name)
    assert guest.stored() == []


def test_another_guests_command_opens_nothing(asked: Callable[..., Asked]) -> None:
    mine, other = asked(), asked()
    with pytest.raises(errors.GuestFailed):
        mine.bring(command=other.command)
    assert mine.stored() + other.stored() == []


def test_without_a_command_that_runs_nothing_is_taken(asked: Callable[..., Asked]) -> None:
    guest = asked()
    for command in ("nothing", guest.channel.ask(guest.guest, "restart")):
        with pytest.raises(errors.GuestFailed):
            guest.bring(command=command)
    with guest.channel.database.write() as session:
        session.get_one(Command, guest.command).cancelled = True
    with pytest.raises(errors.GuestFailed):
        guest.bring()
    assert guest.stored() == []


def test_nobody_without_a_credential_is_heard(asked: Callable[..., Asked]) -> None:
    guest = asked()
    with pytest.raises(Refused):
        guest.bring(credential=f"{guest.guest}.forged")


@pytest.mark.parametrize("size", [0, LOG_OBJECT_BYTES + 1, 20 * LOG_OBJECT_BYTES])
def test_a_part_has_its_size(asked: Callable[..., Asked], size: int) -> None:
    guest = asked()
    with pytest.raises((errors.GuestFailed, errors.Unavailable)):
        guest.bring(data=b"x" * size)
    assert guest.stored() == []


def test_no_more_is_taken_than_was_asked_for(asked: Callable[..., Asked]) -> None:
    """However small the parts are that it is brought in."""
    guest = asked(until=LOG_OBJECT_BYTES)
    for offset in range(4):
        guest.bring(f"log-{offset:020d}")
    with pytest.raises(errors.GuestFailed):
        guest.bring(f"log-{4:020d}")
    guest.bring(f"log-{3:020d}")
    assert len(guest.stored()) == guest.rows() == 4
