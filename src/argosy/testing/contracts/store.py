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
    atomic = True
    """Of two who write the same key at the same moment one wins. False: both may believe so, where the store behind
    looks before it writes; the object is one of the two, whole.
    """

    many = 1_100
    """keys: more than the store tells at once"""

    def test_what_was_written_is_read(self, store: Store) -> None:
        body = os.urandom(3_000_000)
        put(store, "backups/one/data", body)
        assert read(store, "backups/one/data") == body

    def test_an_object_of_many_pieces(self, store: Store) -> None:
        body = os.urandom(5_000_000)
        with store.create("large") as out:
            for _ in range(5):
                out.write(body)
            assert list(store.list("")) == []
        assert (store.stat("large"), list(store.sizes(""))) == (25_000_000, [("large", 25_000_000)])
        assert read(store, "large") == body * 5
        with store.open("large", 9_999_990, 20) as source:
            assert source.read() == body[-10:] + body[:10]
        with pytest.raises(errors.Conflict):
            put(store, "large", body * 2)
        store.delete("large")
        assert list(store.list("")) == []

    def test_an_exception_in_the_middle_of_many_pieces_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(Abandoned):
            self._give_up(store, bytes(20_000_000))
        assert list(store.list("")) == []

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

    def _give_up(self, store: Store, body: bytes = b"x") -> None:
        with store.create("half") as out:
            out.write(body)
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
            won = sum(pool.map(attempt, range(8)))
        assert won == 1 if self.atomic else won >= 1
        assert len(set(read(store, "raced"))) == 1

    def test_list_is_by_prefix_and_in_order(self, store: Store) -> None:
        for key in ("b/2", "b/10", "a/1", "bb/1"):
            put(store, key, b".")
        assert list(store.list("b/")) == ["b/10", "b/2"]
        assert list(store.list("b")) == ["b/10", "b/2", "bb/1"]
        assert list(store.list("zzz")) == []

    def test_list_compares_whole_keys(self, store: Store) -> None:
        for key in ("a/b", "a-b", "a.b", "a0"):
            put(store, key, b".")
        assert list(store.list("")) == ["a-b", "a.b", "a/b", "a0"]

    def test_more_than_a_page_is_listed(self, store: Store) -> None:
        keys = [f"many/{number:05d}" for number in range(self.many)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: put(store, key, b"."), keys))
        assert list(store.list("many/")) == keys
        store.delete_prefix("many/")
        assert list(store.list("")) == []

    def test_sizes_are_known(self, store: Store) -> None:
        put(store, "a/full", b"four")
        put(store, "a/none", b"")
        assert list(store.sizes("a/")) == [("a/full", 4), ("a/none", 0)]
        assert store.stat("a/full") == 4
        for absent in ("a", "a/ful", "b"):
            with pytest.raises(NoSuchObject):
                store.stat(absent)

    @pytest.mark.parametrize(("start", "length"), [(0, 10), (5, None), (999_990, 500), (7, 0), (1_000_000, None)])
    def test_a_part_of_an_object_is_read(self, store: Store, start: int, length: int | None) -> None:
        body = os.urandom(1_000_000)
        put(store, "ranged", body)
        with store.open("ranged", start, length) as source:
            assert source.read() == body[start : None if length is None else start + length]

    def test_a_prefix_is_deleted_and_nothing_beside_it(self, store: Store) -> None:
        for key in ("a/1", "a/2/3", "ab", "b"):
            put(store, key, b".")
        store.delete_prefix("a/")
        store.delete_prefix("a/")
        assert list(store.list("")) == ["ab", "b"]
        with pytest.raises(errors.BadRequest):
            store.delete_prefix("")

    @pytest.mark.parametrize("prefix", ["../", "/", "a//", "a/../", ".unfinished", "a/./", "ä"])
    def test_a_prefix_cannot_leave_its_place(self, store: Store, prefix: str) -> None:
        with pytest.raises(errors.BadRequest):
            list(store.list(prefix))
        with pytest.raises(errors.BadRequest):
            store.delete_prefix(prefix)

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
