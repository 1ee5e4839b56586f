"""The door to one published database: takes connections from allowed networks and passes their bytes on, unread.

`python -I -S forwarder.py LOCK DIRECTORY UID`: a program of its own with nothing but Python's standard library. LOCK is
the descriptor that tells others that it lives, and what it has done; DIRECTORY holds `forward.json`, read again on
SIGHUP. Started by root it becomes UID before it listens. TLS is between client and database: nothing here can read it.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Place = tuple[str, int]

FILE = "forward.json"
CHUNK = 65_536
AT_ONCE = 2_000
"""Connections; those beyond are closed at once."""
BACKLOG = 256
REPORT = 256
"""Bytes of the report in the lock file: always the same, so that it is written in one piece."""
LOG_BYTES = 1 << 20
AGAIN_SECONDS = 1.0


def admits(source: str, allowed: Sequence[Network]) -> bool:
    """May who comes from there connect? Where nothing is allowed in particular, everybody may."""
    address = ipaddress.ip_address(source.partition("%")[0])
    return not allowed or any(address in network for network in allowed)


@dataclass(frozen=True)
class Orders:
    name: str = ""
    """tells these from all others"""
    listen: tuple[Place, ...] = ()
    target: Place = ("", 0)
    allowed: tuple[Network, ...] = ()


def read(directory: int) -> Orders:
    with os.fdopen(os.open(FILE, os.O_RDONLY, dir_fd=directory), "rb") as file:
        told = json.loads(file.read())
    return Orders(
        told["name"],
        tuple((host, port) for host, port in told["listen"]),
        (told["target"][0], told["target"][1]),
        tuple(ipaddress.ip_network(each, strict=False) for each in told["allowed"]),
    )


@dataclass(eq=False)
class Side:
    """One of a connection's two ends."""

    socket: socket.socket
    source: str
    """where the client of this connection is"""
    held: bytes = b""
    """read at the other side and not yet written here"""
    connecting: bool = False
    ended: bool = False
    """nothing more comes from here"""
    watched: int = 0
    other: Side = field(init=False)

    @property
    def wanted(self) -> int:
        """What there is to wait for here. Nothing is read that could not be passed on."""
        reading = not (self.ended or self.connecting or self.other.held or self.other.connecting)
        writing = self.connecting or self.held
        return (select.EPOLLIN if reading else 0) | (select.EPOLLOUT if writing else 0)


class Log:
    """Lines on standard error, a file that is kept short here; one a second at most of each kind."""

    def __init__(self) -> None:
        self.last: dict[str, float] = {}
        self.skipped: dict[str, int] = {}

    def say(self, kind: str, words: str) -> None:
        now = time.monotonic()
        if now - self.last.get(kind, -AGAIN_SECONDS) < AGAIN_SECONDS:
            self.skipped[kind] = self.skipped.get(kind, 0) + 1
            return
        more = self.skipped.pop(kind, 0)
        self.last[kind] = now
        self._write(f"{kind}: {words}" + (f" (and {more} more since the last line)" if more else ""))

    def _write(self, line: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with contextlib.suppress(OSError):
            if os.fstat(2).st_size > LOG_BYTES:
                os.ftruncate(2, 0)
            os.write(2, f"{moment} {line}\n".encode())


class Forwarder:
    def __init__(self, directory: int, lock: int) -> None:
        self.directory, self.lock, self.log = directory, lock, Log()
        self.epoll, self.orders, self.complete = select.epoll(), Orders(), False
        self.doors: dict[Place, socket.socket] = {}
        self.listening: dict[int, socket.socket] = {}
        self.sides: dict[int, Side] = {}
        self.accepted = self.refused = 0
        self.reported = b""

    # --- what it is told ---

    def reload(self) -> None:
        """Also closes what was allowed until now and is not any more."""
        try:
            self.orders = read(self.directory)
        except (OSError, ValueError, KeyError) as error:
            self.log.say("orders", f"cannot be read, what was told before stays: {error}")
            return
        for side in list(self.sides.values()):
            if not admits(side.source, self.orders.allowed):
                self.log.say("closed", f"{side.source} is not allowed any more")
                self.close(side)
        for place in [each for each in self.doors if each not in self.orders.listen]:
            self._shut(place)
        self.open()

    def open(self) -> None:
        """Listen everywhere; where it cannot be done now, it is tried again."""
        self.complete = sum(map(self._listen, self.orders.listen)) == len(self.orders.listen)
        self.report()

    def _listen(self, place: Place) -> bool:
        if place in self.doors:
            return True
        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        door = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(place)
            door.listen(BACKLOG)
        except OSError as error:
            door.close()
            self.log.say("listen", f"cannot listen on port {place[1]} of {place[0]}, trying again: {error.strerror}")
            return False
        self.doors[place] = self.listening[door.fileno()] = door
        self.epoll.register(door, select.EPOLLIN)
        return True

    def _shut(self, place: Place) -> None:
        door = self.doors.pop(place)
        del self.listening[door.fileno()]
        door.close()

    # --- connections ---

    def accept(self, door: socket.socket) -> None:
        try:
            client, address = door.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}:
                self.log.say("full", f"a connection has to wait: {error.strerror}")
                time.sleep(0.01)  # it stays ready: without a pause we would do nothing but try
            return
        if not admits(address[0], self.orders.allowed):
            self.refused += 1
            self.log.say("refused", f"{address[0]} is not allowed")
            _reset(client)
        elif len(self.sides) >= 2 * AT_ONCE:
            self.log.say("full", f"{address[0]} is turned away: there are {AT_ONCE} connections")
            _reset(client)
        else:
            self._join(client, address[0])

    def _join(self, client: socket.socket, source: str) -> None:
        family = socket.AF_INET6 if ":" in self.orders.target[0] else socket.AF_INET
        try:
            server = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        except OSError as error:
            self.log.say("full", f"{source} is turned away: {error.strerror}")
            _reset(client)
            return
        self.accepted += 1
        for each in (client, server):
            _tune(each)
        outer, inner = Side(client, source), Side(server, source, connecting=True)
        outer.other, inner.other = inner, outer
        self.sides.update({client.fileno(): outer, server.fileno(): inner})
        self._try(inner, lambda: server.connect(self.orders.target))
        self.watch(outer)

    def serve(self, side: Side, events: int) -> None:
        if side.connecting:
            self._try(side, lambda: self._connected(side))
        else:
            if events & select.EPOLLOUT:
                self._try(side, lambda: self._write(side))
            if events & ~select.EPOLLOUT and side.wanted & select.EPOLLIN:
                self._try(side, lambda: self._read(side))
        self.watch(side)

    def _connected(self, side: Side) -> None:
        if failed := side.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.log.say("database", f"does not answer: {os.strerror(failed)}")
            raise ConnectionError
        side.connecting = False

    def _read(self, side: Side) -> None:
        data = side.socket.recv(CHUNK)
        if data:
            side.other.held = data
        else:
            side.ended = True
        self._write(side.other)

    def _write(self, side: Side) -> None:
        if side.held:
            side.held = side.held[side.socket.send(side.held) :]
        if side.other.ended and not side.held:
            side.socket.shutdown(socket.SHUT_WR)

    def _try(self, side: Side, act: Callable[[], None]) -> None:
        try:
            act()
        except BlockingIOError:
            return
        except OSError:
            self.close(side)

    def watch(self, side: Side) -> None:
        """Wait for what can happen next, on both sides; the end of a connection is when that is nothing."""
        for each in (side, side.other):
            if each.socket.fileno() < 0:
                return
        if not side.wanted and not side.other.wanted:
            self.close(side)
            return
        for each in (side, side.other):
            self._watch(each)

    def _watch(self, side: Side) -> None:
        """A side that nothing is wanted of is not registered: its end would be told again and again."""
        wanted = side.wanted
        if wanted == side.watched:
            return
        if not wanted:
            self.epoll.unregister(side.socket)
        elif side.watched:
            self.epoll.modify(side.socket, wanted)
        else:
            self.epoll.register(side.socket, wanted)
        side.watched = wanted

    def close(self, side: Side) -> None:
        for each in (side, side.other):
            if each.socket.fileno() >= 0:
                self.sides.pop(each.socket.fileno(), None)
                each.socket.close()

    # --- the life of it ---

    def report(self) -> None:
        """Into the lock file, once it listens: which orders are followed, and what has happened."""
        if not self.complete:
            return
        told = {"orders": self.orders.name, "accepted": self.accepted, "refused": self.refused}
        text = json.dumps({**told, "open": len(self.sides) // 2}).encode().ljust(REPORT)
        if text != self.reported:
            os.pwrite(self.lock, text, 0)
            self.reported = text

    def run(self, bell: socket.socket) -> None:
        self.epoll.register(bell, select.EPOLLIN)
        self.reload()
        looked = time.monotonic()
        while True:
            for number, events in sorted(self.epoll.poll(AGAIN_SECONDS), key=self._turn):
                self._happened(number, events, bell)
            if time.monotonic() - looked >= AGAIN_SECONDS:
                looked = time.monotonic()
                self.report() if self.complete else self.open()

    def _turn(self, event: tuple[int, int]) -> int:
        """New sockets are made last: they may have the numbers of old ones, whose events would be taken for theirs."""
        return 0 if event[0] in self.sides else 1 if event[0] in self.listening else 2

    def _happened(self, number: int, events: int, bell: socket.socket) -> None:
        if number == bell.fileno():
            bell.recv(CHUNK)
            self.reload()
        elif number in self.listening:
            self.accept(self.listening[number])
        elif number in self.sides:
            self.serve(self.sides[number], events)


def _tune(connection: socket.socket) -> None:
    """Without delay, and told when the other machine is gone."""
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 300)


def _reset(connection: socket.socket) -> None:
    """Closed without a trace here: who comes too often leaves no half dead sockets behind."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def drop(uid: int) -> None:
    """Become that user for good."""
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def main(arguments: Sequence[str]) -> int:
    lock, uid = int(arguments[0]), int(arguments[2])
    directory = os.open(arguments[1], os.O_RDONLY | os.O_DIRECTORY)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * AT_ONCE + 64) if most > 0 else 2 * AT_ONCE + 64, most))
    drop(uid)
    bell, ringing = socket.socketpair()
    ringing.setblocking(False)
    signal.set_wakeup_fd(ringing.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGHUP, lambda *_: None)
    Forwarder(directory, lock).run(bell)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
