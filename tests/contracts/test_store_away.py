"""A store that is cut off, killed or full in the middle of an object: done after all, or a clean error, never half."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.stores import s3_requests, swift_requests
from argosy.stores.base import Store, StoreFull, StoreUnreachable
from argosy.stores.filesystem import FilesystemStore
from argosy.stores.s3 import S3Store
from argosy.stores.swift import SwiftStore
from argosy.testing.cables import Cable
from argosy.testing.contracts.cut_store import BODY, TIMES, Connect, CutStoreContract, write
from argosy.testing.contracts.store import put, read
from argosy.testing.swift_server import KEY, USER, Swift


@pytest.fixture
def cable(swift: Swift) -> Iterator[Cable]:
    laid = Cable(swift.ports["proxy"])
    yield laid
    laid.close()


@pytest.fixture(params=["s3", "swift"])
def connect(request: pytest.FixtureRequest, swift: Swift, cable: Cable) -> Iterator[Connect]:
    """A store over the cable that is patient for so many seconds; what it holds is gone afterwards."""

    def made(patience: float = 60.0, port: int = cable.port) -> Store:
        url = f"http://127.0.0.1:{port}"
        if request.param == "s3":
            return S3Store(s3_requests.Place(url, "backups", "", "us-east-1", "path", "", USER, KEY), patience)
        place = swift_requests.Place(f"{url}/auth/v1.0", "backups", "", "", "", "", "", USER, KEY)
        return SwiftStore(place, patience)

    yield made
    whole = made(port=swift.ports["proxy"])
    for key in list(whole.list("")):
        whole.delete_prefix(key)


class TestOverACable(CutStoreContract):
    pass


def test_an_upload_over_a_cut_cable_ends_and_leaves_nothing(connect: Connect, swift: Swift, cable: Cable) -> None:
    with pytest.raises(StoreUnreachable):
        write(connect(patience=0.5), "a/b", cable.cut)
    directly = connect(port=swift.ports["proxy"])
    assert list(directly.list("")) == []
    directly.delete_prefix("a/")
    with pytest.raises(StoreUnreachable):
        read(connect(patience=0.5), "a/b")


def test_an_answer_that_was_lost_is_no_conflict(connect: Connect, cable: Cable) -> None:
    """What our own lost try has put there is ours."""
    store = connect()
    put(store, "a/first", b"logged in")
    for number in range(5):
        cable.cut_once_after(2_000 + 1_000 * number)  # around the end of the request
        put(store, f"a/{number}", bytes(1_000))
        with pytest.raises(errors.Conflict):
            put(store, f"a/{number}", b"another")
        assert read(store, f"a/{number}") == bytes(1_000)


def test_a_server_that_is_killed_and_comes_back(connect: Connect, swift: Swift) -> None:
    store = connect()

    back: list[threading.Timer] = []

    def kill() -> None:
        swift.kill()
        back.append(swift.start_in(1.0))

    write(store, "a/b", kill)
    back[0].join()
    assert read(store, "a/b") == BODY * TIMES


def test_a_server_that_is_killed_and_stays_away(connect: Connect, swift: Swift) -> None:
    with pytest.raises(StoreUnreachable):
        write(connect(patience=0.5), "a/b", swift.kill)
    swift.start()
    store = connect()
    assert list(store.list("")) == []
    store.delete_prefix("a/")
    write(store, "a/b", lambda: None)
    assert read(store, "a/b") == BODY * TIMES


def test_a_full_store_says_so(connect: Connect, swift: Swift) -> None:
    store = connect()
    put(store, "a/there", b"is")
    swift.limit("backups", 1)
    try:
        with pytest.raises(StoreFull, match="make room"):
            write(store, "a/b", lambda: None)
    finally:
        swift.limit("backups", None)
    assert list(store.list("")) == ["a/there"]
    write(store, "a/b", lambda: None)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    if os.geteuid():
        pytest.skip("only root mounts")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "argosy-small", tmp_path], check=True)
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def test_a_full_disk_says_so(small: Path) -> None:
    store = FilesystemStore(small, mounted=True)
    put(store, "a/there", b"is")
    with pytest.raises(StoreFull, match="make room"):
        write(store, "a/b", lambda: None)
    assert list(store.list("")) == ["a/there"]
    put(store, "a/b", bytes(3_000_000))
    assert store.stat("a/b") == 3_000_000
