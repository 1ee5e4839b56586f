"""The overrides that are in force here: on disk, trusted once the server has started with them, else taken back.

What the server's files say follows from three things: the site, the driver, and the overrides that are `wanted`. They
are written down before the files are, so that whoever is killed in between finishes it at the next start. A server
that does not start with overrides it never started with gets back those it did start with, and its words are kept.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.agent.guest import Guest
from argosy.agent.service import Status
from argosy.agent.words import complaints
from argosy.engines import files
from argosy.model.guest import TAKEN_BACK

log = logging.getLogger(__name__)

Overrides = Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """What is on disk."""

    wanted: Overrides = field(default_factory=dict)
    proven: Overrides = field(default_factory=dict)
    """those with which the server has last started and answered; without any it starts"""
    accepted: Overrides = field(default_factory=dict)
    """those that a running server has last taken at once, every one of them: next to proven"""
    written: bool = False
    """the server's own files say what is wanted"""
    process: str = ""
    """the server's process at the time they were written: that one proves nothing"""
    left: tuple[str, ...] = ()
    """names that the running server may still have values for, and that are wanted no more"""
    refused: Overrides = field(default_factory=dict)
    """what was taken back since; None where a value was left out"""
    words: str = ""
    """the server's, about them"""

    @property
    def fallback(self) -> Overrides | None:
        """What to go back to from what is wanted; None where that is proven."""
        if self.wanted == self.proven:
            return None
        return self.proven if self.wanted == self.accepted else self.accepted


class Configuration:
    """Safe to share between threads."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._file = guest.directory / "overrides.json"
        self._lock = threading.RLock()
        self._kept = _load(self._file)

    def apply(self, overrides: Overrides | None = None) -> bool:
        """Have these in force, or those that are already, on the site as it is now; true when only a restart applies
        all of it.

        Values that the running server refuses are taken back: see `told`. Raises GuestFailed, Unavailable, and
        Rejected where there is nothing to go back to.
        """
        with self._lock:
            if overrides is not None:
                self._keep(self._after(overrides))
            try:
                return self._write()
            except errors.Rejected as error:
                if not self._go_back(error.message):
                    raise
                return self._write()

    def resume(self) -> None:
        """Finish what somebody who was killed had begun."""
        with self._lock:
            if not self._kept.written and self._file.exists():
                self.apply()

    def prove(self, status: Status) -> None:
        """The server answers: what it was started with can be trusted."""
        with self._lock:
            proven = replace(self._kept, proven=self._kept.wanted, accepted=self._kept.wanted, left=())
            if proven != self._kept and self._kept.written and _process(status) != self._kept.process:
                self._keep(proven)

    def take_back(self, words: str) -> bool:
        """The server cannot be started: have in force what it was last started with. False when that is so already."""
        with self._lock:
            if not self._go_back(words):
                return False
            self._write()
            return True

    def process(self) -> str:
        """Names the run of the server that is under way; empty while it does not run."""
        return _process(self._guest.service.status())

    def told(self) -> dict[str, Any]:
        """What was taken back and why, for an answer; empty when nothing was."""
        refused = self._kept.refused
        return {"taken_back": dict(refused), "fault": self.notice()} if refused else {}

    def notice(self) -> str:
        """The same in a sentence."""
        kept = self._kept
        return f"{sentence(kept.refused)}: {kept.words}" if kept.refused else ""

    def _go_back(self, words: str) -> bool:
        kept = self._kept
        if kept.fallback is None:
            return False
        refused = {**kept.refused, **difference(kept.wanted, kept.fallback)}
        log.error("taken back", extra={"refused": sorted(refused), "words": words})
        self._keep(replace(self._after(kept.fallback), refused=refused, words=complaints(words)))
        return True

    def _after(self, wanted: Overrides) -> Kept:
        """What is to be kept once these are wanted instead of those before."""
        kept = self._kept
        return replace(
            Kept(dict(wanted), kept.proven, kept.accepted), left=tuple(sorted({*kept.left, *kept.wanted} - {*wanted}))
        )

    def _write(self) -> bool:
        late = self._guest.driver().configure({**dict.fromkeys(self._kept.left), **self._kept.wanted})
        process = _process(self._guest.service.status())
        accepted = self._kept.wanted if process and not late else self._kept.accepted
        self._keep(replace(self._kept, written=True, process=process, accepted=accepted))
        return late

    def _keep(self, kept: Kept) -> None:
        """On disk when this returns."""
        files.write(self._file, json.dumps(asdict(kept)))
        files.sync_directory(self._file.parent)
        self._kept = kept


def difference(wanted: Overrides, proven: Overrides) -> dict[str, Any]:
    """What of the wanted is not proven; None for what is wanted no more."""
    left_out = dict.fromkeys(name for name in proven if name not in wanted)
    return {**{name: value for name, value in wanted.items() if proven.get(name) != value}, **left_out}


def sentence(refused: Overrides) -> str:
    values = ", ".join(f"{name} = {value}" for name, value in sorted(refused.items()) if value is not None)
    without = ", ".join(sorted(name for name, value in refused.items() if value is None))
    both = " and ".join(filter(None, (values, f"the default of {without}" if without else "")))
    return f"{both} {TAKEN_BACK}"


def _process(status: Status) -> str:
    """Names one run of the server; empty while it does not run."""
    return f"{status.pid} since {status.since}" if status.running else ""


def _load(file: Path) -> Kept:
    """What cannot be read counts as nothing asked for: the next `apply` with overrides puts it right."""
    try:
        told = json.loads(file.read_text()) if file.exists() else {}
        kept = Kept(**{name: told[name] for name in Kept.__dataclass_fields__ if name in told})
        return replace(kept, left=tuple(kept.left))
    except (OSError, ValueError, TypeError) as error:
        log.error("%s cannot be used: %s", file, error)  # noqa: TRY400 - the cause is in it
        return Kept()
