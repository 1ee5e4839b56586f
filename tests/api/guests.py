"""Guests that answer what a test lets them say, and a worker for operations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from backstage import Backstage

from argosy import errors
from argosy.agent import work
from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Command
from argosy.model import wire
from argosy.settings import Settings

Verbs = Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]


class Guests(Backstage):
    """Every guest knows these verbs; what it does not know it leaves."""

    verbs: Verbs = MappingProxyType({})

    def _answers(self, command: Command) -> bool:
        return command.verb in self.verbs

    def _do(self, command: Command) -> wire.Answer:
        try:
            return wire.Answer(command.id, self.verbs[command.verb](command.arguments or {}))
        except errors.ArgosyError as error:
            return wire.Answer(command.id, error=error.message, error_kind=work.kind(error))


@contextmanager
def answering(settings: Settings, database: Database, bell: Bell, verbs: Verbs) -> Iterator[None]:
    made = Guests(settings, database, bell)
    made.verbs = verbs
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield
    finally:
        made.over.set()
        thread.join()
