"""A sealed file is whole or refused, and a copy of a control database is the same on each kind of server."""

from __future__ import annotations

import dataclasses
import io
import os
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select

from argosy import settings
from argosy.db import copying, envelope, migrate, sealed, self_backup
from argosy.db.envelope import Key
from argosy.db.session import Database
from argosy.db.tables import Event, Run, Webhook
from argosy.settings import SelfBackup, Settings
from argosy.testing import databases

KEY = Key("passphrase", b"correct horse battery")


@pytest.fixture
def deployment(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    (state / "keys").mkdir(parents=True)
    (state / "argosy.toml").write_text("[api]\nport = 1234\n")
    sealed.make(state / "keys" / "master.key")
    sealed.use(state / "keys" / "master.key")
    told = settings.load(state, {})
    database = Database(told.database_url)
    migrate.upgrade(database)
    _fill(database)
    return told


def _fill(database: Database) -> None:
    with database.write() as session:
        session.add(Run(id="r", workflow="w", subject="s", step="x", memory={"secret": "s€"}, wake_at=0, created=1.5))
        hook = {"url": "https://u", "secret": "x", "kinds": ["a"], "created": 1, "updated": 1}
        session.add(Webhook(id=str(uuid.uuid4()), project_id="p", **hook))
        session.add(Event(seq=1, id=str(uuid.uuid4()), at=1, kind="dbaas.quota", payload={"limit": [1, None, "ü"]}))


def _told(database: Database) -> object:
    with database.read() as session:
        run, hook, event = (session.scalars(select(each)).one() for each in (Run, Webhook, Event))
        return run.memory, run.created, hook.secret, hook.kinds, event.payload


def _written(deployment: Settings) -> bytes:
    out = io.BytesIO()
    self_backup.write(deployment, Database(deployment.database_url), out, KEY)
    return out.getvalue()


def test_what_was_written_is_read_back(deployment: Settings, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    told = self_backup.unpack(io.BytesIO(_written(deployment)), KEY, place)
    assert told.revision == migrate.HEAD
    assert (place / "keys" / "master.key").read_bytes() == (deployment.keys / "master.key").read_bytes()
    assert _told(Database(f"sqlite:///{place}/control.db")) == _told(Database(deployment.database_url))
    assert not list((deployment.state / "self-backups").iterdir())


def test_nothing_of_it_stands_there_in_the_open(deployment: Settings) -> None:
    text = _written(deployment)
    assert (deployment.keys / "master.key").read_bytes() not in text
    assert b"manifest" not in text


@pytest.mark.parametrize("at", [0, 25, 300, -1])
def test_a_changed_byte_is_noticed(deployment: Settings, tmp_path: Path, at: int) -> None:
    text = bytearray(_written(deployment))
    text[at] ^= 1
    with pytest.raises((envelope.NotAnEnvelope, envelope.WrongKey, envelope.Damaged)):
        self_backup.unpack(io.BytesIO(text), KEY, tmp_path)


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_file_that_was_cut_short_is_noticed(pieces: int) -> None:
    out = io.BytesIO()
    sealing = envelope.Sealing(out, KEY)
    sealing.write(os.urandom(3 * envelope.PIECE))
    sealing.close()
    text = out.getvalue()
    source = io.BytesIO(text[: len(text) - pieces * (envelope.PIECE + envelope.TAG)])
    plain = envelope.Unsealing(source, *envelope.read_header(source), KEY)
    with pytest.raises((envelope.WrongKey, envelope.Damaged)):
        plain.read(4 * envelope.PIECE)


def test_a_file_that_would_take_all_memory_is_refused() -> None:
    header = b'{"key":"passphrase","salt":"00","nonce":"00","n":1073741824,"r":8,"p":1}\n'
    with pytest.raises(envelope.NotAnEnvelope):
        envelope.read_header(io.BytesIO(envelope.MAGIC + header))


def test_only_the_newest_are_kept(deployment: Settings) -> None:
    few = dataclasses.replace(deployment, self_backup=SelfBackup(kept=2))
    made = [self_backup.keep(few, Database(few.database_url), now=86_400.0 * day) for day in range(3)]
    assert [file.exists() for file in made] == [False, True, True]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in made[1:])


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_is_copied_and_put_back(deployment: Settings, tmp_path: Path, kind: str) -> None:
    with databases.serve(kind) as server, server.empty() as first, server.empty() as second:
        migrate.upgrade(first)
        _fill(first)
        assert copying.save(first, tmp_path / "copy.db") == migrate.HEAD
        copying.load(tmp_path / "copy.db", second)
        assert _told(second) == _told(first)
        copying.clear(second, tmp_path / "copy.db")
        copying.load(tmp_path / "copy.db", second)
        assert _told(second) == _told(Database(deployment.database_url))
