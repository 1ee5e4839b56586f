"""A server of SFTP that is cut off, killed or full in the middle of an object: done after all, or a clean error."""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from argosy import errors
from argosy.stores.base import NoSuchObject, StoreFull, StoreRefused, StoreUnreachable
from argosy.stores.sftp import SftpStore
from argosy.testing import sftp_server
from argosy.testing.cables import Cable
from argosy.testing.contracts.cut_store import BODY, TIMES, Connect, CutStoreContract, write
from argosy.testing.contracts.store import put, read
from argosy.testing.sftp_server import Sftp
from argosy.testing.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[Sftp]:
    with sftp_server.running() as running:
        yield running


@pytest.fixture
def cable(server: Sftp) -> Iterator[Cable]:
    laid = Cable(server.port)
    yield laid
    laid.close()


@pytest.fixture
def connect(server: Sftp, cable: Cable) -> Iterator[Connect]:
    """A store over the cable that is patient for so many seconds; what it holds is gone afterwards."""

    def made(patience: float = 60.0, port: int = cable.port) -> SftpStore:
        known = server.known.replace(f":{server.port}", f":{port}")
        return SftpStore(dataclasses.replace(server.place, port=port, host_key=known), patience)

    yield made
    whole = made(port=server.port)
    for key in list(whole.list("")):
        whole.delete(key)


class TestOverACable(CutStoreContract):
    pass


def test_an_upload_over_a_cut_cable_ends_and_leaves_nothing(connect: Connect, server: Sftp, cable: Cable) -> None:
    with pytest.raises(StoreUnreachable):
        write(connect(patience=0.5), "a/b", cable.cut)
    assert list(connect(port=server.port).list("")) == []
    with pytest.raises(StoreUnreachable):
        read(connect(patience=0.5), "a/b")


@pytest.mark.parametrize(("size", "first", "step"), [(1_000, 100, 400), (9_000_000, 9_000_000, 4_000)])
def test_an_answer_that_was_lost_is_no_conflict(
    connect: Connect, cable: Cable, size: int, first: int, step: int
) -> None:
    """Wherever it is lost, to the last answer: what our own lost try has put there is ours."""
    store = connect()
    put(store, "a/first", b"logged in")
    for number in itertools.count():
        cuts = cable.cuts
        cable.cut_once_after(first + number * step)
        put(store, f"a/{number}", bytes(size))
        cable.cut_once_after(1 << 40)
        if cable.cuts == cuts:
            break
        with pytest.raises(errors.Conflict):
            put(store, f"a/{number}", b"another")
        assert store.stat(f"a/{number}") == size
    assert number > 3


def test_a_delete_that_was_cut_is_done(connect: Connect, cable: Cable) -> None:
    store = connect()
    for number in range(10):
        put(store, f"a/b/{number}", b".")
    cable.cut_once_after(300)
    store.delete_prefix("a/b/")
    assert (cable.cuts, list(store.list(""))) == (1, [])


def test_a_server_that_is_killed_and_comes_back(connect: Connect, server: Sftp) -> None:
    store = connect()
    back: list[threading.Timer] = []

    def kill() -> None:
        server.kill()
        back.append(server.start_in(1.0))

    write(store, "a/b", kill)
    back[0].join()
    assert read(store, "a/b") == BODY * TIMES


def test_a_server_that_is_killed_and_stays_away(connect: Connect, server: Sftp) -> None:
    with pytest.raises(StoreUnreachable):
        write(connect(patience=0.5), "a/b", server.kill)
    server.start()
    store = connect()
    assert list(store.list("")) == []
    write(store, "a/b", lambda: None)
    assert read(store, "a/b") == BODY * TIMES


def test_a_directory_that_is_unmounted_midway_is_told(connect: Connect, server: Sftp) -> None:
    """What was on its way is not written where a mount belongs."""
    away = server.home / "away"
    with pytest.raises((StoreUnreachable, NoSuchObject)):
        write(connect(patience=0.5), "a/b", lambda: server.data.rename(away))
    assert not server.data.exists()
    away.rename(server.data)


@pytest.fixture
def small(server: Sftp) -> Iterator[str]:
    """A file system of 12 MiB on the server."""
    if os.geteuid():
        pytest.skip("only root mounts")
    place = server.home / "small"
    place.mkdir()
    owner = f"uid={server.data.stat().st_uid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=12m,{owner}", "argosy-small", place], check=True)
    yield str(place)
    eventually(lambda: subprocess.run(["umount", place], check=False).returncode == 0)
    place.rmdir()


def test_a_full_disk_says_so(server: Sftp, small: str) -> None:
    store = SftpStore(dataclasses.replace(server.place, directory=small), 5.0)
    put(store, "a/there", b"is")
    with pytest.raises(StoreFull, match="make room"):
        write(store, "a/b", lambda: None)
    assert list(store.list("")) == ["a/there"]
    put(store, "a/b", bytes(8_000_000))
    with pytest.raises(StoreFull, match="make room"):
        put(store, "a/c", bytes(8_000_000))
    assert store.stat("a/b") == 8_000_000


def test_a_disk_that_is_only_read_says_so(server: Sftp, small: str) -> None:
    store = SftpStore(dataclasses.replace(server.place, directory=small), 5.0)
    put(store, "a/there", b"is")
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    with pytest.raises(StoreRefused, match="only be read"):
        put(store, "a/b", b".")
    with pytest.raises(StoreRefused, match="only be read"):
        store.delete("a/there")
    assert read(store, "a/there") == b"is"
