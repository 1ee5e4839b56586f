"""Lists that are told page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from argosy.client.session import Session


@dataclass(frozen=True)
class Page:
    rows: Sequence[dict[str, Any]]
    following: str
    """marker of the next page; empty: there is none"""


def page(session: Session, path: str, name: str, marker: str = "", **query: str) -> Page:
    """That after `marker`, the first without one. `name`: what the list is called in the answer."""
    told = session.get(path, **query, **({"marker": marker} if marker else {}))
    links = [each["href"] for each in told.get("links", ()) if each["rel"] == "next"]
    return Page(told[name], parse_qs(urlsplit(links[0]).query)["marker"][0] if links else "")


def every(session: Session, path: str, name: str, **query: str) -> Iterator[dict[str, Any]]:
    """One after the other; the next page is asked for when it is come to."""
    found = page(session, path, name, **query)
    yield from found.rows
    while found.following:
        found = page(session, path, name, found.following, **query)
        yield from found.rows
