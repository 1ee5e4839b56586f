"""Pages of a list that is ordered by a marker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from argosy import errors
from argosy.api import query
from argosy.api.exchange import Request

MOST = 999_999_999
"""That is counted through."""


class HasId(Protocol):
    @property
    def id(self) -> str: ...


Marked = TypeVar("Marked", bound=HasId)
"""An object of a list that is walked by id."""


def limit(request: Request) -> int:
    """What the request asks for, capped by the settings; 0 or nothing is the whole page size. Raises BadRequest."""
    most = request.services.settings.api.page_size
    return query.number(request, "limit", most=most) or most


def marker(request: Request) -> str:
    """Of the last object of the page before; empty for the first page. Raises BadRequest."""
    given = request.query.get("marker", "")
    if len(given) > 255 or not given.isprintable():
        raise errors.BadRequest("marker must be the one that a page gave")
    return given


def cut(found: Sequence[Marked], most: int) -> tuple[Sequence[Marked], str | None]:
    """What a page shows of `most + 1` objects that were looked for, and its marker where more follow."""
    return found[:most], found[most - 1].id if len(found) > most else None


@dataclass(frozen=True)
class Window:
    """A page of a list that is counted through."""

    limit: int
    offset: int

    def following(self, shown: int) -> str | None:
        """Marker of the next page. One that is exactly full always has one, as in Trove, should it be empty."""
        return str(self.offset + self.limit) if shown == self.limit else None


def window(request: Request) -> Window:
    """Where the marker is a number, a limit may be larger than a page, as in Trove. Raises BadRequest."""
    size = query.number(request, "limit", most=MOST) or request.services.settings.api.page_size
    return Window(size, query.number(request, "marker", most=MOST))


def page(request: Request, name: str, views: Sequence[Any], last: str | None, size: int = 0) -> Mapping[str, Any]:
    """The body of a page. `last` is the marker of its last object where more follow, else None; `size` is given where
    a page may be larger than the settings say.

    The link to the next page stands under `links`, where Trove puts it, and under `<name>_links`, where gophercloud
    looks.
    """
    if last is None:
        return {name: views}
    links = request.links.next(request.query, limit=size or limit(request), marker=last)
    return {name: views, "links": links, f"{name}_links": links}
