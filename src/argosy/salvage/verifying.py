"""Whether backups are all there and what they were, as far as that can be seen without restoring them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.salvage.reading import Reader
from argosy.salvage.shelf import Shelf
from argosy.stores import chains
from argosy.stores.chains import Link
from argosy.stores.frames import Damaged


@dataclass(frozen=True)
class Verdict:
    backup: str
    fault: str = ""
    """empty: nothing is wrong"""


def verify(shelf: Shelf, places: Sequence[str], reader: Reader, *, quick: bool) -> Iterator[Verdict]:
    """A verdict on each, with all that it builds on. `quick`: manifests, keys, and sizes; else every byte.

    Only what says nothing of the backup is raised: NoKey, StoreUnreachable and their like.
    """
    known: dict[str, str] = {}
    for place in places:
        name = place.rstrip("/").rpartition("/")[2]
        try:
            for link in shelf.chain(place):
                if link.place not in known:
                    known[link.place] = _fault(shelf, link, reader, quick=quick)
            wrong = [known[link.place] for link in shelf.chain(place) if known[link.place]]
            yield Verdict(name, "; ".join(wrong))
        except errors.Unavailable:
            raise
        except (errors.Broken, errors.NotFound, chains.TooNew) as error:
            yield Verdict(name, error.message)


def _fault(shelf: Shelf, link: Link, reader: Reader, *, quick: bool) -> str:
    told = link.manifest
    missing = list(chains.missing(shelf.store, link.place, told.attempt, told.parts))
    if missing:
        return f"backup {told.backup}: {'; '.join(missing[:3])}"
    try:
        if not quick:
            reader.read_through(link)
    except Damaged as error:
        return error.message
    return ""
