"""A server held still for a snapshot of its volume: by a thread that lets go by itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from argosy import clock, errors
from argosy.engines.backups import Backups

BEGIN_SECONDS = 30.0
"""for a server to be still, on top of the time that it is to be held for"""


class Hold:
    """Begun with the call, and over at the latest after so many seconds."""

    def __init__(self, name: str, driver: Backups, seconds: float) -> None:
        self.name = name
        self.position: Mapping[str, Any] = {}
        self._driver, self._seconds = driver, seconds
        self._held, self._let_go = threading.Event(), threading.Event()
        self._since = self._until = 0.0
        self._asked = False
        """to let go, and not by itself"""
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._hold, daemon=True)
        self._thread.start()

    @property
    def over(self) -> bool:
        return not self._thread.is_alive()

    def await_held(self) -> None:
        """Raises what kept it from being held."""
        if not self._held.wait(self._seconds + BEGIN_SECONDS):
            self._let_go.set()
            raise errors.GuestFailed("the server could not be held still in time")
        if self._error is not None:
            raise self._error

    def release(self) -> float:
        """For how long it was held. Raises Conflict when that was not so until now."""
        self._let_go.set()
        self._thread.join()
        if self._error is not None:
            raise errors.Conflict(f"the server was not held still throughout: {self._error}") from self._error
        if not self._asked:
            raise errors.Conflict(f"the server was held still for {self._seconds:g} s, and not until now")
        return self._until - self._since

    def _hold(self) -> None:
        try:
            with self._driver.quiesce(self._seconds) as self.position:
                self._since = clock.monotonic()
                self._held.set()
                self._asked = self._let_go.wait(self._seconds)
            self._until = clock.monotonic()
        except Exception as error:  # noqa: BLE001 - told to whoever asks
            self._error = error
        finally:
            self._held.set()
