"""Swift by its own API and its own authentication; with Keystone's: tests/identity."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from argosy.stores.base import StoreFull, StoreRefused, StoreUnreachable
from argosy.stores.swift import SwiftStore
from argosy.stores.swift_requests import Place
from argosy.testing.contracts.store import StoreContract, put, read
from argosy.testing.swift_server import KEY, USER, Swift


@pytest.fixture(scope="module")
def place(swift: Swift) -> Place:
    return Place(swift.auth_url, "backups", "of-argosy/", "", "", "", "", USER, KEY)


@pytest.fixture
def store(place: Place) -> Iterator[SwiftStore]:
    made = SwiftStore(place, patience=5.0)
    made.page = 20
    yield made
    for key in list(made.list("")):
        made.delete(key)
    assert list(made._names(place.prefix)) == [], "something is left that nobody lists"


class TestSwift(StoreContract):
    atomic = False  # it looks before it writes
    many = 50


def test_what_was_left_in_pieces_goes_with_its_prefix(store: SwiftStore) -> None:
    store.piece("a/b", store.begin("a/b"), 1, b"left")
    store.piece("a/b/c", store.begin("a/b/c"), 1, b"of another")
    store.delete("a/b")
    assert [name.rpartition("/.")[0] for name, _ in store._names("of-argosy/")] == ["of-argosy/.pieces/a/b/c"]
    store.delete_prefix("a/")
    assert list(store._names("of-argosy/")) == []


def test_a_token_that_has_ended_is_taken_again(store: SwiftStore, swift: Swift) -> None:
    put(store, "a", b"before")
    swift.kill()
    swift.start()
    assert read(store, "a") == b"before"


def test_a_token_that_has_ended_costs_no_upload(store: SwiftStore, swift: Swift) -> None:
    """The client takes another, and cannot send the body again with it."""
    put(store, "a", b"before")
    swift.kill()
    swift.start()
    put(store, "b", b"after")
    assert read(store, "b") == b"after"


def test_a_quota_is_told(store: SwiftStore, swift: Swift) -> None:
    put(store, "a", b".")
    swift.limit("backups", 1)
    try:
        with pytest.raises(StoreFull, match="make room"):
            put(store, "b", b"too much")
    finally:
        swift.limit("backups", None)
    assert list(store.list("")) == ["a"]


def test_a_wrong_key_is_told(place: Place) -> None:
    with pytest.raises(StoreRefused):
        put(SwiftStore(dataclasses.replace(place, password="other"), 1.0), "a", b"b")


def test_a_store_that_is_away_is_told(place: Place) -> None:
    with pytest.raises(StoreUnreachable):
        put(SwiftStore(dataclasses.replace(place, auth_url="http://127.0.0.1:9/auth/v1.0"), 1.0), "a", b"b")
