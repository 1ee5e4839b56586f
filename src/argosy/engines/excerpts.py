"""One database or table out of a server and into another: the facet Excerpts.

What is taken out of a restored server, or of one that somebody looks around in, goes into the running one beside all
that is there: nothing is ever replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class Excerpt:
    """What was taken out."""

    database: str
    tables: Sequence[str]
    """and views, by name"""
    whole: bool
    """with everything else that belongs to the database"""
    character_set: str = ""
    collate: str = ""


@runtime_checkable
class Excerpts(Protocol):
    """The facet of a driver. Called in a process of its own, beside the agent, with the server running."""

    def take_out(self, database: str, tables: Sequence[str], scratch: Path, out: int) -> Excerpt:
        """Write the tables, or without any the whole database, into `out` as statements.

        Raises NotFound for what is not there.
        """

    def put_in(self, excerpt: Excerpt, into: str, scratch: Path, source: int) -> None:
        """Into the database of that name, which is made if there is none. All of it, or none of it is there: so where
        a definition spells out the name of the database that it was in, it goes into no other.

        Raises Conflict, naming it, when something of that name is there already: for a whole database any database.
        """
