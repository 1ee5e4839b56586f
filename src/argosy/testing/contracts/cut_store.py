"""What every object store promises over a line that is cut in the middle of an object.

class TestMine(CutStoreContract):
    # with the fixtures `connect`, which makes a store over a cable, and `cable`
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from argosy.stores.base import Store
from argosy.testing.cables import Cable
from argosy.testing.contracts.store import read

BODY = os.urandom(1_000_000)
TIMES = 25
Connect = Callable[..., Store]
"""`patience` in seconds"""


def write(store: Store, key: str, midway: Callable[[], object]) -> None:
    with store.create(key) as out:
        for number in range(TIMES):
            out.write(BODY)
            if number == TIMES // 2:
                midway()


class CutStoreContract:
    @pytest.mark.parametrize("after", [1_000, 5_000_000, 9_000_000])
    def test_an_upload_goes_on_after_a_cut(self, connect: Connect, cable: Cable, after: int) -> None:
        store = connect()
        write(store, "a/b", lambda: cable.cut_once_after(after))
        assert cable.cuts == 1
        assert read(store, "a/b") == BODY * TIMES

    def test_an_upload_goes_on_when_the_cable_is_mended(self, connect: Connect, cable: Cable) -> None:
        store = connect()

        def cut() -> None:
            cable.cut()
            threading.Timer(3.0, cable.mend).start()

        write(store, "a/b", cut)
        assert read(store, "a/b") == BODY * TIMES

    @pytest.mark.parametrize("after", [100_000, 5_000_000])
    def test_a_download_goes_on_where_it_was_cut(self, connect: Connect, cable: Cable, after: int) -> None:
        store = connect()
        write(store, "a/b", lambda: None)
        with store.open("a/b") as source:
            cable.cut_once_after(after)
            assert source.read() == BODY * TIMES
        assert cable.cuts == 1
