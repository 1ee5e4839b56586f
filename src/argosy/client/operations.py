"""Operations of a thing, as they go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from argosy.client.session import Session

Document = dict[str, Any]
PATIENCE = 15
"""Seconds that one request waits for news; the server answers as soon as there is some."""
PAUSE = 0.5
"""Seconds between two answers without news."""


def told(session: Session, thing: str, *, since: str = "", wait: float = 0) -> Document:
    """Every operation of what the path names, with its steps; with `wait`, once something has changed since the answer
    named by `since`.
    """
    query: dict[str, object] = {"since": since} if since else {}
    if wait:
        query["wait"] = wait
    answer: Document = session.get(f"{thing}/operations", **query)
    return answer


def follow(session: Session, thing: str) -> Iterator[Sequence[Document]]:
    """The operations now, and again whenever something has changed."""
    answer = told(session, thing)
    while True:
        yield answer["operations"]
        seen, answer = answer, told(session, thing, since=answer["cursor"], wait=PATIENCE)
        if answer["cursor"] == seen["cursor"]:
            time.sleep(PAUSE)  # when too many wait already, the server answers at once
