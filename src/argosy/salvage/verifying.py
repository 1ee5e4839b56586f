"""Whether backups are all there and what they were, as far as that can be seen without restoring them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.agent.archived import Log
from argosy.salvage import history
from argosy.salvage.history import History
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


def verify_logs(shelf: Shelf, reader: Reader) -> Iterator[Verdict]:
    """A verdict on each stream of archived log: whether it can be read, without a gap."""
    for place in shelf.logs():
        _, _, _, instance, number, _ = place.split("/")
        name = f"log {int(number)} of instance {instance}"
        try:
            _lay(history.at(shelf, place), reader)
            yield Verdict(name)
        except (errors.Broken, errors.NotFound) as error:
            yield Verdict(name, error.message)


def _lay(found: History, reader: Reader) -> None:
    """Raises Damaged, GuestFailed for a gap."""
    log = Log(found, found.order(), reader.tally)
    with tempfile.TemporaryDirectory() as directory:
        for name, size in log.files():
            log.fetch(name, size, Path(directory) / "file")


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
