from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from argosy.launcher import forks
from argosy.stores import disk, probe
from argosy.stores.base import NoSuchObject, StoreRefused
from argosy.stores.filesystem import UNFINISHED, FilesystemStore
from argosy.testing.contracts.store import StoreContract, put


class TestFilesystem(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> FilesystemStore:
        return FilesystemStore(tmp_path)


class TestFilesystemThatKnowsNoNamelessFiles(StoreContract):
    """As NFS."""

    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilesystemStore:
        monkeypatch.setattr(disk, "NAMELESS", os.O_RDWR)  # of a directory: refused with the same words
        return FilesystemStore(tmp_path)

    def test_what_was_left_by_the_killed_goes_in_time(self, store: FilesystemStore) -> None:
        put(store, "a", b".")
        left, fresh = (store.root / UNFINISHED / name for name in ("left", "fresh"))
        for each in (left, fresh):
            each.write_bytes(b"half")
        os.utime(left, (0, 0))
        put(store, "b", b".")
        assert (left.exists(), fresh.exists()) == (False, True)


def test_a_nameless_file_is_gone_with_its_writer(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path)
    with store.create("a") as out:
        out.write(b"half")
        assert list((tmp_path / UNFINISHED).iterdir()) == []


def test_a_trial_leaves_nothing_and_takes_along_what_was_left(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path)
    put(store, f"{probe.PLACE}1000000000-0123456789abcdef", b"left")
    put(store, probe.name(), b"of another trial, just now")
    assert set(probe.probe(store)) == {"write", "list", "read", "delete"}
    assert [key.startswith(f"{probe.PLACE}1000000000-") for key in store.list(probe.PLACE)] == [False]


def test_how_full_it_is(tmp_path: Path) -> None:
    used, total = FilesystemStore(tmp_path).room()
    assert 0 < used <= total


def test_one_that_is_not_ours_to_see_is_told(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can ask as somebody else")
    (tmp_path / "locked" / "store").mkdir(parents=True)
    (tmp_path / "locked").chmod(0o700)

    def ask() -> str:
        try:
            FilesystemStore(tmp_path / "locked" / "store", mounted=True).stat("a")
        except StoreRefused as error:
            return error.message
        return ""

    assert "Permission denied" in forks.ask(ask, pwd.getpwnam("nobody"))


def test_what_is_no_file_is_no_object(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path)
    put(store, "a/b", b".")
    for key in ("a", "a/b/c"):
        with pytest.raises(NoSuchObject):
            store.open(key)
