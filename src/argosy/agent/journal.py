"""What this agent did and what it answered, on disk: a command that was done is never done again.

JSON lines, appended and synced before the answer is sent. Answers are kept until the conductor has them, and the
latest of those for a while longer, in case a command comes once more. Arguments are not kept: they hold secrets, and
the conductor sends them again.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from argosy.engines import files
from argosy.model import wire

log = logging.getLogger(__name__)

REMEMBERED = 256
"""answers kept after the conductor has received them"""
COMPACTED_AT = 1024
"""lines"""


class Journal:
    """Safe to share between threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._waiting: dict[str, wire.Answer] = {}
        self._received: dict[str, wire.Answer] = {}
        self._lines = 0
        self.term = 0
        """the highest that was seen"""
        self.damage = ""
        """what was wrong with the file, in a sentence; the commands of such lines may be done twice"""
        self._load()

    def answered(self, command: str) -> wire.Answer | None:
        """What was answered to this command, if it was done."""
        with self._lock:
            return self._waiting.get(command) or self._received.get(command)

    def unreceived(self) -> Sequence[wire.Answer]:
        """Answers that the conductor may not have, oldest first."""
        with self._lock:
            return list(self._waiting.values())

    def done(self, answer: wire.Answer) -> None:
        """On disk when this returns; in memory alone, and logged, when the disk refuses."""
        self._keep({"done": dataclasses.asdict(answer)})

    def received(self, command: str) -> None:
        if command in self._waiting:
            self._keep({"received": command})

    def raise_term(self, term: int) -> None:
        if term > self.term:
            self._keep({"term": term})

    def _keep(self, line: dict[str, Any]) -> None:
        with self._lock:
            self._apply(line)
            try:
                self._append(line)
            except OSError as error:
                log.error("the journal %s cannot be written: %s", self._file, error)  # noqa: TRY400 - the cause is in it

    def _apply(self, line: dict[str, Any]) -> None:
        if "done" in line:
            answer = wire.parse(wire.Answer, line["done"])
            self._waiting[answer.id] = answer
        elif "received" in line:
            self._remember(str(line["received"]))
        elif "term" in line:
            self.term = max(self.term, int(line["term"]))

    def _remember(self, command: str) -> None:
        answer = self._waiting.pop(command, None)
        if answer is not None:
            self._received[command] = answer
        while len(self._received) > REMEMBERED:
            del self._received[next(iter(self._received))]

    def _append(self, line: dict[str, Any]) -> None:
        if self._lines >= COMPACTED_AT or not self._file.exists():
            self._compact()
            return
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, (json.dumps(line) + "\n").encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._lines += 1

    def _compact(self) -> None:
        """Only what still counts, in a new file."""
        kept: list[dict[str, Any]] = [{"term": self.term}]
        kept += [{"done": dataclasses.asdict(each)} for each in (*self._received.values(), *self._waiting.values())]
        kept += [{"received": command} for command in self._received]
        files.write(self._file, "".join(json.dumps(each) + "\n" for each in kept))
        files.sync_directory(self._file.parent)
        self._lines = len(kept)

    def _load(self) -> None:
        """Every line that can be read. A last line without its end is a crash while writing it: never acted upon."""
        try:
            text = self._file.read_bytes().decode(errors="replace") if self._file.exists() else ""
        except OSError as error:
            self.damage = f"the journal {self._file} cannot be read: {error}"
            text = ""
        whole, _, torn = text.rpartition("\n")
        bad = [number for number, line in enumerate(whole.splitlines(), 1) if not self._read(line)]
        self._lines = len(whole.splitlines())
        if bad:
            self.damage = f"line {bad[0]} of the journal {self._file} is damaged, {len(bad)} lines were left out"
        if bad or torn:
            self._repair()

    def _read(self, line: str) -> bool:
        try:
            told = json.loads(line)
            self._apply(told)
        except (ValueError, TypeError, wire.BadFrame):
            return False
        return isinstance(told, dict)

    def _repair(self) -> None:
        try:
            if self.damage:
                self._file.with_name(self._file.name + ".damaged").write_bytes(self._file.read_bytes())
            self._compact()
        except OSError as error:
            self.damage = self.damage or f"the journal {self._file} cannot be repaired: {error}"
