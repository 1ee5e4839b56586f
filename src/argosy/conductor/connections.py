"""Who is connected: one connection per guest, the latest one, whatever carries it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator

from argosy import clock
from argosy.guest.enrolment import Known
from argosy.model import wire

RESEND_SECONDS = 15.0
"""A command is sent again after so long without an answer: the guest knows it by its id."""
OUTSTANDING = 32
"""commands that one guest has before it at once"""
FRAMES_PER_SECOND = 20.0
FRAMES_AT_ONCE = 200.0


class Allowance:
    """So many frames per second and guest; who sends faster is read slower."""

    def __init__(self) -> None:
        self._left = FRAMES_AT_ONCE
        self._at = clock.monotonic()

    def spend(self) -> float:
        """Seconds to wait before the next frame is read."""
        now = clock.monotonic()
        self._left = min(FRAMES_AT_ONCE, self._left + (now - self._at) * FRAMES_PER_SECOND) - 1
        self._at = now
        return max(0.0, -self._left / FRAMES_PER_SECOND)


class Connection:
    """What is on its way to one guest. A WebSocket or a series of long polls empties it."""

    def __init__(self, known: Known, boot: str) -> None:
        self.known = known
        self.boot = boot
        self.said = ("", "")
        """health, and what about it, as last told over this connection"""
        self.heard_at = clock.monotonic()
        self.closed = False
        self.allowance = Allowance()
        self._frames: deque[wire.Frame] = deque()
        self._ready = asyncio.Event()
        self._sent: dict[str, float] = {}
        self._settled: deque[str] = deque(maxlen=OUTSTANDING)
        """answered of late: a list of unanswered commands may be older than the answer"""
        self._cancelled: set[str] = set()

    def put(self, frame: wire.Frame) -> None:
        self._frames.append(frame)
        self._ready.set()

    def wants(self, command: str) -> bool:
        """Whether this command should be sent now: it was not yet, or long ago."""
        if command in self._settled:
            return False
        sent = self._sent.get(command)
        if sent is None:
            return len(self._sent) < OUTSTANDING
        return clock.monotonic() - sent > RESEND_SECONDS

    def command(self, command: wire.Command) -> None:
        self._sent[command.id] = clock.monotonic()
        self.put(command)

    def cancel(self, command: str) -> None:
        """Ask the guest to stop, once."""
        if command not in self._cancelled:
            self._cancelled.add(command)
            self.put(wire.Cancel(command))

    def settled(self, command: str) -> None:
        """The answer is safe: tell the guest."""
        self._sent.pop(command, None)
        self._cancelled.discard(command)
        self._settled.append(command)
        self.put(wire.Received(command))

    def close(self) -> None:
        """Whoever waits for frames gets none any more."""
        self.closed = True
        self._ready.set()

    async def frames(self) -> list[wire.Frame]:
        """What is to be sent, as soon as there is something; empty once closed."""
        await self._ready.wait()
        return self.drain()

    def drain(self) -> list[wire.Frame]:
        drained = list(self._frames)
        self._frames.clear()
        if not self.closed:
            self._ready.clear()
        return drained


class Connections:
    def __init__(self) -> None:
        self._by_guest: dict[str, Connection] = {}

    def __len__(self) -> int:
        return len(self._by_guest)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._by_guest.values()))

    def get(self, guest: str) -> Connection | None:
        return self._by_guest.get(guest)

    def join(self, connection: Connection) -> None:
        """The latest connection of a guest counts; the one before it is closed."""
        before = self._by_guest.get(connection.known.id)
        self._by_guest[connection.known.id] = connection
        if before is not None:
            before.close()

    def leave(self, connection: Connection) -> bool:
        """True unless a later connection has taken its place."""
        connection.close()
        if self._by_guest.get(connection.known.id) is not connection:
            return False
        del self._by_guest[connection.known.id]
        return True

    def guests(self) -> Iterable[str]:
        return list(self._by_guest)
