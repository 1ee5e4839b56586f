"""SFTP, by OpenSSH's own server."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy import errors, settings
from argosy.settings import BadSetting
from argosy.stores import deployment, probe, sftp_requests
from argosy.stores.base import NoSuchObject, Store, StoreRefused, StoreUnreachable
from argosy.stores.filesystem import UNFINISHED
from argosy.stores.sftp import SftpStore
from argosy.testing import sftp_server
from argosy.testing.contracts.store import StoreContract, put, read
from argosy.testing.sftp_server import USER, Sftp


@pytest.fixture(scope="module")
def server() -> Iterator[Sftp]:
    with sftp_server.running() as running:
        yield running


@pytest.fixture
def store(server: Sftp) -> Iterator[SftpStore]:
    made = SftpStore(dataclasses.replace(server.place, prefix="of-argosy/"), patience=5.0)
    yield made
    for key in list(made.list("")):
        made.delete(key)
    assert list((server.data / "of-argosy").iterdir()) == [], "something is left that nobody lists"
    for each in (server.data / UNFINISHED).iterdir():
        each.unlink()


def left(server: Sftp) -> list[str]:
    return [each.name for each in (server.data / UNFINISHED).glob("*")]


class TestSftp(StoreContract):
    many = 250  # the server tells a hundred at once


def test_nothing_unfinished_is_left(server: Sftp, store: SftpStore) -> None:
    put(store, "a/b", b".")
    with store.create("a/c") as out:
        out.write(bytes(20_000_000))
        assert len(left(server)) == 1
    with pytest.raises(errors.Conflict), store.create("a/c") as out:
        out.write(bytes(20_000_000))
    assert left(server) == []


def test_what_was_left_by_the_killed_goes_in_time(server: Sftp, store: SftpStore) -> None:
    put(store, "a", b".")
    old, fresh = (server.data / UNFINISHED / name for name in ("left", "fresh"))
    for each in (old, fresh):
        each.write_bytes(b"half")
    os.utime(old, (0, 0))
    put(SftpStore(server.place, 5.0), "b", b".")
    assert (old.exists(), fresh.exists()) == (False, True)
    (server.data / "b").unlink()


def test_directories_that_become_empty_go(server: Sftp, store: SftpStore) -> None:
    for key in ("a/b/c/1", "a/b/c/2", "a/d"):
        put(store, key, b".")
    store.delete_prefix("a/b/")
    assert [each.name for each in (server.data / "of-argosy" / "a").iterdir()] == ["d"]


def test_what_it_stores_is_for_its_user_only(server: Sftp, store: SftpStore) -> None:
    put(store, "a/b", b".")
    modes = [(server.data / "of-argosy" / each).stat().st_mode & 0o777 for each in ("a", "a/b")]
    assert modes == [0o700, 0o600]


def test_what_is_no_file_is_no_object(store: SftpStore) -> None:
    put(store, "a/b", b".")
    for key in ("a", "a/b/c"):
        with pytest.raises(NoSuchObject):
            store.open(key)
        store.delete(key)
    assert list(store.list("")) == ["a/b"]


def test_what_others_put_there_is_not_listed(server: Sftp, store: SftpStore) -> None:
    put(store, "a/b", b".")
    for name in ("lost+found", ".hidden"):
        (server.data / "of-argosy" / name).mkdir(0o700)
    assert list(store.list("")) == ["a/b"]
    for name in ("lost+found", ".hidden"):
        (server.data / "of-argosy" / name).rmdir()


def test_how_full_it_is(server: Sftp, store: SftpStore) -> None:
    told = os.statvfs(server.data)
    used, total = store.room() or (0, 0)
    assert 0 < used < total <= told.f_blocks * told.f_frsize


def test_a_trial_leaves_nothing(store: SftpStore) -> None:
    assert set(probe.probe(store)) == {"write", "list", "read", "delete"}
    assert list(store.list("")) == []


def test_many_threads_share_few_connections(server: Sftp, store: SftpStore) -> None:
    def act(number: int) -> bool:
        body = os.urandom(300_000)
        put(store, f"a/{number}", body)
        return read(store, f"a/{number}") == body

    before = connections(server)
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(act, range(64)))
    assert connections(server) - before <= sftp_requests.CONNECTIONS


def test_readers_that_pause_keep_nobody_waiting(store: SftpStore) -> None:
    put(store, "a", os.urandom(9_000_000))
    readers = [store.open("a") for _ in range(sftp_requests.CONNECTIONS + 1)]
    assert [len(each.read(10)) for each in readers] == [10] * len(readers)
    put(store, "b", b".")
    assert {len(each.read()) for each in readers} == {8_999_990}
    for each in readers:
        each.close()


def test_what_is_read_is_read_on_after_a_fork(store: SftpStore) -> None:
    body = os.urandom(9_000_000)
    put(store, "a", body)
    with store.open("a") as source:
        assert source.read(10) == body[:10]
        child = os.fork()
        if child == 0:
            right = source.read() == body[10:]
            source.close()
            os._exit(0 if right else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert source.read() == body[10:]
    put(store, "b", b".")


def connections(server: Sftp) -> int:
    assert server.process is not None
    return len(Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split())


# --- who is let in, and who is trusted ---


def fingerprint(server: Sftp) -> str:
    told = subprocess.run(["ssh-keygen", "-lf", server.home / "host.pub"], capture_output=True, text=True, check=True)
    return told.stdout.split()[1]


def another_key(place: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "other"], check=True)
    return place / "other"


def test_a_fingerprint_is_enough(server: Sftp) -> None:
    told = f"SHA256:{'A' * 43} {fingerprint(server)}"
    assert list(SftpStore(dataclasses.replace(server.place, host_key=told), 1.0).list("")) == []


def test_a_server_that_is_not_the_known_one_is_told_nothing(server: Sftp, tmp_path: Path) -> None:
    line = another_key(tmp_path).with_suffix(".pub").read_text()
    for known in (
        f"[127.0.0.1]:{server.port} {line}",
        f"SHA256:{'A' * 43}",
        server.known.replace("127.0.0.1", "other"),
    ):
        with pytest.raises(StoreRefused, match=r"not the one that store\.host_key tells"):
            put(SftpStore(dataclasses.replace(server.place, host_key=known), 1.0), "a", b".")


def test_a_wrong_key_is_told(server: Sftp, tmp_path: Path) -> None:
    for secret in (another_key(tmp_path).read_text(), "no key"):
        with pytest.raises(StoreRefused) as told:
            put(SftpStore(dataclasses.replace(server.place, private_key=secret), 1.0), "a", b".")
        assert secret not in str(told.value)


def test_a_password_that_is_not_taken_is_told(server: Sftp) -> None:
    with pytest.raises(StoreRefused) as told:
        put(SftpStore(dataclasses.replace(server.place, private_key="", password="hush"), 1.0), "a", b".")
    assert "hush" not in str(told.value)


def test_a_store_that_is_away_is_told(server: Sftp) -> None:
    with pytest.raises(StoreUnreachable):
        put(SftpStore(dataclasses.replace(server.place, port=9), 1.0), "a", b".")


def test_where_a_mount_is_missing_nothing_is_written(server: Sftp) -> None:
    store = SftpStore(dataclasses.replace(server.place, directory=f"{server.data}/mount/argosy"), 0.1)
    for act in (
        lambda: put(store, "a", b"."),
        lambda: list(store.list("")),
        lambda: store.open("a"),
        lambda: store.delete("a"),
    ):
        with pytest.raises(StoreUnreachable, match="is it mounted"):
            act()
    assert not (server.data / "mount").exists()


def test_a_directory_of_somebody_else_is_told(server: Sftp) -> None:
    if os.geteuid():
        pytest.skip("only root gives away")
    (server.data / "roots").mkdir(0o755)
    with pytest.raises(StoreRefused):
        put(SftpStore(dataclasses.replace(server.place, directory=f"{server.data}/roots"), 1.0), "a", b".")
    (server.data / "roots").rmdir()


@pytest.mark.parametrize(("lacking", "word"), [("hardlink", "link"), ("fsync", "fsync")])
def test_a_server_that_cannot_publish_durably_is_refused(lacking: str, word: str) -> None:
    with sftp_server.running(f"-P {lacking}") as server:
        store = SftpStore(server.place, 1.0)
        with pytest.raises(StoreRefused, match=rf"\({word} not supported\).* as OpenSSH's has them"):
            put(store, "a", b".")
        assert list(store.list("")) == left(server) == []


def test_a_server_that_does_not_tell_its_room() -> None:
    with sftp_server.running("-P statvfs") as server:
        assert SftpStore(server.place, 1.0).room() is None


# --- from settings ---


def told(state: Path, server: Sftp, *, login: str = "", **other: str) -> Store:
    file = state / "keys" / "store.toml"
    file.parent.mkdir(exist_ok=True)
    file.touch(0o600)
    file.write_text(login or f'user = "{USER}"\nprivate_key = """\n{server.private_key}"""\n')
    section = {
        "kind": "sftp",
        "url": f"sftp://127.0.0.1:{server.port}",
        "bucket": str(server.data),
        "host_key": server.known,
    }
    return deployment.store(settings.from_tables(state, {"store": {**section, **other}}))


def test_settings_lead_to_it(tmp_path: Path, server: Sftp) -> None:
    store = told(tmp_path, server, prefix="mine/")
    put(store, "a", b".")
    assert (server.data / "mine" / "a").read_bytes() == b"."
    assert server.private_key not in repr(vars(store))
    store.delete("a")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("url", "ssh://127.0.0.1"),
        ("url", "sftp://127.0.0.1/somewhere"),
        ("url", "sftp://127.0.0.1:port"),
        ("url", "sftp://me@127.0.0.1"),
        ("url", ""),
        ("host_key", " "),
        ("prefix", "/up/"),
    ],
)
def test_settings_that_cannot_be_are_told(tmp_path: Path, server: Sftp, option: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"store.{option}"):
        told(tmp_path, server, **{option: value})


def test_a_login_needs_a_key_or_a_password(tmp_path: Path, server: Sftp) -> None:
    with pytest.raises(StoreRefused, match="does not say private_key"):
        told(tmp_path, server, login=f'user = "{USER}"\n')
    assert told(tmp_path, server, login=f'user = "{USER}"\npassword = "p"\n', prefix="other/")
