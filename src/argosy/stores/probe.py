"""Whether a store can be used, by using it: an object is written, told, read and deleted again."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from argosy import clock, errors
from argosy.stores.base import Store

PLACE = "argosy_probe/"
BYTES = 4096
ABANDONED_SECONDS = 3600
T = TypeVar("T")


def probe(store: Store) -> Mapping[str, float]:
    """Seconds that each took. Raises as Store does, and Broken for a store that does not keep what it was given."""
    key, body, took = name(), os.urandom(BYTES), Took()
    took.timed("write", lambda: _write(store, key, body))
    try:
        listed = took.timed("list", lambda: dict(store.sizes(PLACE)))
        kept = took.timed("read", lambda: _read(store, key))
    finally:
        took.timed("delete", lambda: store.delete(key))
    if listed.get(key) != BYTES or kept != body:
        raise errors.Broken("the object store does not keep what it is given, or does not list it")
    _sweep(store, listed)
    return took.seconds


def look(store: Store) -> Mapping[str, float]:
    """Likewise of a store that is somebody else's, where nothing is written."""
    took = Took()
    first = took.timed("list", lambda: next(iter(store.list("")), None))
    if first is not None:
        took.timed("read", lambda: store.open(first, 0, 1).close())
    return took.seconds


class Took:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, act: Callable[[], T]) -> T:
        begun = clock.monotonic()
        told = act()
        self.seconds[name] = clock.monotonic() - begun
        return told


def name() -> str:
    """A key for a trial. It tells when, so that what somebody leaves who is killed is found and deleted."""
    return f"{PLACE}{clock.now():.0f}-{secrets.token_hex(8)}"


def _sweep(store: Store, listed: Iterable[str]) -> None:
    for key in listed:
        began = key.removeprefix(PLACE).partition("-")[0]
        if began.isdecimal() and int(began) < clock.now() - ABANDONED_SECONDS:
            store.delete(key)


def _write(store: Store, key: str, body: bytes) -> None:
    with store.create(key) as out:
        out.write(body)


def _read(store: Store, key: str) -> bytes:
    with store.open(key) as there:
        return there.read()
