"""On whose behalf this thread works just now: what it begins and changes is recorded under that name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    user_id: str = ""
    """empty: Argosy itself"""
    project_id: str = ""
    """of the token, which is an administrator's own and not the object's"""
    request_id: str = ""


ARGOSY = Actor()

_acting: ContextVar[Actor] = ContextVar("acting", default=ARGOSY)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


def current() -> Actor:
    return _acting.get()
