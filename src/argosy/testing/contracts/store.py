"""What every object store promises. Who writes one elsewhere runs the same suite:

class TestMine(StoreContract):
    @pytest.fixture
    def store(self): ...
"""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from argosy import errors
from argosy.stores.base import NoSuchObject, Store


def put(store: Store, key: str, body: bytes) -> None:
    with store.create(key) as out:
        out.write(body)


def read(store: Store, key: str) -> bytes:
    with store.open(key) as source:
        return source.read()


class Abandoned(Exception):
    """Raised inside `create` by a writer that gives up."""


class StoreContract:
    def test_what_was_written_is_read(self, store: Store) -> None:
        body = os.urandom(3_000_000)
        put(store, "backups/one/data", body)
        assert read(store, "backups/one/data") == body

    def test_an_empty_object_is_an_object(self, store: Store) -> None:
        put(store, "empty", b"")
        assert read(store, "empty") == b""
        assert list(store.list("")) == ["empty"]

    def test_nothing_is_visible_before_the_end(self, store: Store) -> None:
        with store.create("half") as out:
            out.write(b"x" * 1_000_000)
            out.flush()
            assert list(store.list("")) == []
            with pytest.raises(NoSuchObject):
                store.open("half")

    def test_an_exception_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(Abandoned):
            self._give_up(store)
        assert list(store.list("")) == []

    def _give_up(self, store: Store) -> None:
        with store.create("half") as out:
            out.write(b"x")
            raise Abandoned

    def test_a_writer_that_is_killed_leaves_nothing_visible(self, store: Store) -> None:
        child = os.fork()
        if child == 0:
            with store.create("killed") as out:
                out.write(b"x" * 100_000)
                out.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        assert list(store.list("")) == []
        put(store, "killed", b"again")
        assert read(store, "killed") == b"again"

    def test_an_object_is_written_once(self, store: Store) -> None:
        put(store, "one", b"first")
        with pytest.raises(errors.Conflict):
            put(store, "one", b"second")
        assert read(store, "one") == b"first"

    def test_of_two_writers_one_wins(self, store: Store) -> None:
        def attempt(number: int) -> bool:
            try:
                put(store, "raced", bytes([number]) * 10)
            except errors.Conflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(attempt, range(8))) == 1
        assert len(set(read(store, "raced"))) == 1

    def test_list_is_by_prefix_and_in_order(self, store: Store) -> None:
        for key in ("b/2", "b/10", "a/1", "bb/1"):
            put(store, key, b".")
        assert list(store.list("b/")) == ["b/10", "b/2"]
        assert list(store.list("b")) == ["b/10", "b/2", "bb/1"]
        assert list(store.list("zzz")) == []

    def test_delete_of_the_absent_is_success(self, store: Store) -> None:
        put(store, "a/b", b".")
        store.delete("a/b")
        store.delete("a/b")
        assert list(store.list("")) == []

    @pytest.mark.parametrize("key", ["../up", "/root", "a//b", "a/../b", "", ".hidden", "a/.b", "a\0b", "a/", "ä"])
    def test_a_key_cannot_leave_its_place(self, store: Store, key: str) -> None:
        with pytest.raises(errors.BadRequest):
            put(store, key, b".")
        with pytest.raises(errors.BadRequest):
            store.open(key)
        with pytest.raises(errors.BadRequest):
            store.delete(key)
