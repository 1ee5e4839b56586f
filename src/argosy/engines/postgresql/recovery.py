"""A server that replays its log where nobody reaches it, until it has come to where it should stop."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.postgresql import configuration, wire
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, unix_user
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.laying import COMING, SEGMENTS, Laying
from argosy.model.guest import Site

FETCH = (
    'echo %f >> "{work}/asked"; '
    'case %f in *.history) ;; *) until [ -e "{segments}/%f" ] || [ ! -e "{coming}" ]; do sleep 0.02; done;; esac; '
    'ln --logical "{segments}/%f" "%p" 2>/dev/null || exec cp "{segments}/%f" "%p"'
)
"""Waits for a segment while there are more to come. Where its directory goes, so does its mark. No copy is made where a
second name can be had: it would be written to the disk first, before it could share its blocks (XFS).
"""
PORT = 1
"""Names the socket, and nothing else: the server does not listen on the network."""
PAUSE = 0.02
STOP_SECONDS = 600.0
WORDS = 2000
"""letters of what the server says that are told"""
TRIES = 5
"""How often a segment is asked for before it is certain that what follows in it is no log."""
AGAIN = "10ms"
"""after which it is asked for again"""

KEPT = {
    "max_prepared_xacts": "max_prepared_transactions",
    "max_locks_per_xact": "max_locks_per_transaction",
    "max_worker_processes": "max_worker_processes",
}
"""What a server that replays needs as much of as the one that wrote: as pg_controldata calls it, and as a setting."""

ASK = """
SELECT pg_last_wal_replay_lsn(), extract(epoch FROM pg_last_xact_replay_timestamp()),
       left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
"""
BEFORE_CONSISTENT = "requested recovery stop point is before consistent recovery point"


@dataclass(frozen=True)
class Ended:
    reason: str
    """the server's own words; empty when the log did not go further"""
    place: str
    at: float | None
    timeline: int


class TooEarly(errors.Rejected):
    """the moment is before the backup: choose an older one"""


def recover(site: Site, work: Path, target: Mapping[str, str], laying: Laying) -> Ended:
    """Replay the segments that are laid out in `work`, up to the target, and end as a server that may be started once
    everything is on the disk. Raises TooEarly, GuestFailed in the server's words, and what keeps segments from coming.
    """
    with programs.alone(site.state / "replay.lock") as held:
        _forget_killed(site)
        ended = _recovered(site, work, target, laying, held)
        if ended is None:  # no server is promoted before its target: the same again, from its last checkpoint, without
            ended = _recovered(site, work, {}, laying, held)
    if ended is None:
        raise errors.GuestFailed("the log is replayed and the server does not end its recovery")
    return ended


def _forget_killed(site: Site) -> None:
    """Notes of a server that nobody is any more, and that the next would believe while its process is not reaped."""
    for each in (*site.state.glob(f".s.PGSQL.{PORT}*"), site.data / "db" / "postmaster.pid"):
        each.unlink(missing_ok=True)


def _recovered(site: Site, work: Path, target: Mapping[str, str], laying: Laying, held: int) -> Ended | None:
    """None: the log ends before the target."""
    (site.data / "db" / "standby.signal").touch()
    (work / "asked").unlink(missing_ok=True)
    _write(site, work, target)
    with _running(site, work, held) as server:
        return _await_end(site, work, server, laying, promote=not target)


def _write(site: Site, work: Path, target: Mapping[str, str]) -> None:
    files.write(work / "hba.conf", f"local all {ADMINISTRATOR} peer map=guest\n")
    files.write(work / "ident.conf", configuration.pg_ident_conf(unix_user()))
    share = configuration.shares(site.memory)
    told = {
        "data_directory": site.data / "db",
        "hba_file": work / "hba.conf",
        "ident_file": work / "ident.conf",
        "listen_addresses": "",
        "port": PORT,
        "unix_socket_directories": site.state,
        "unix_socket_permissions": "0700",
        "shared_buffers": f"{share.shared_buffers // configuration.KIB}kB",
        "max_connections": 20,
        "max_wal_size": configuration.settings(site, "")["max_wal_size"],
        "checkpoint_timeout": "1h",
        "fsync": "off",
        "hot_standby": "off",
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
        "restore_command": FETCH.format(work=work, segments=work / SEGMENTS, coming=work / COMING),
        "wal_retrieve_retry_interval": AGAIN,
        "wal_recycle": "off",  # what it would write over is ours, too
        **_as_before(site),
        **target,
    }
    files.write(
        work / "server.conf", "".join(f"{name} = {configuration.quoted(str(each))}\n" for name, each in told.items())
    )


def _as_before(site: Site) -> dict[str, str]:
    text = programs.run(LAYOUT.place(site.root) / "pg_controldata", f"--pgdata={site.data / 'db'}")
    found = dict(re.findall(r"^(\S+) setting: +(\d+)$", text, re.MULTILINE))
    return {setting: found[name] for name, setting in KEPT.items() if name in found}


@contextmanager
def _running(site: Site, work: Path, held: int) -> Iterator[subprocess.Popen[bytes]]:
    """Ended cleanly when all went well, and at once when it did not."""
    argv = (LAYOUT.place(site.root) / "postgres", "-c", f"config_file={work / 'server.conf'}")
    with (
        (work / "log").open("wb") as log,
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(programs.ENVIRONMENT), pass_fds=(held,)
        ) as server,
    ):
        try:
            yield server
            server.send_signal(signal.SIGINT)
            server.wait(STOP_SECONDS)
        finally:
            server.send_signal(signal.SIGQUIT)


def _await_end(
    site: Site, work: Path, server: subprocess.Popen[bytes], laying: Laying, *, promote: bool
) -> Ended | None:
    promoted = False
    while server.poll() is None:
        laying.go_on()
        if _serves(site) and (ended := _ask(site, work)):
            return ended
        if not promoted and _at_the_end(work / "asked"):
            if not promote:
                return None
            (site.data / "db" / "promote").touch()
            server.send_signal(signal.SIGUSR1)
            promoted = True
        time.sleep(PAUSE)
    said = (work / "log").read_text(errors="replace").strip()
    if BEFORE_CONSISTENT in said:
        raise TooEarly
    raise errors.GuestFailed(f"the log cannot be replayed: {said[-WORDS:]}")


def _at_the_end(asked: Path) -> bool:
    """Whether the server asks for the same segment again and again: what follows in it is not the log's next record."""
    names = Counter(asked.read_text().split()) if asked.exists() else Counter()
    return max(names.values(), default=0) >= TRIES


def _serves(site: Site) -> bool:
    """By the eighth line of the server's note of itself, which pg_ctl goes by: every connection that it refuses while
    it replays costs it a process.
    """
    with contextlib.suppress(OSError, IndexError):
        return (site.data / "db" / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
    return False


def _ask(site: Site, work: Path) -> Ended | None:
    """None when it is not so far yet."""
    with contextlib.suppress(OSError, wire.ServerError):
        socket = files.socket_path(site.state, f".s.PGSQL.{PORT}")
        with wire.Connection(socket, ADMINISTRATOR, HOME, 30) as session:
            [(place, at, timeline)] = session.query(ASK)
        reason = re.search(r"recovery stopping .*", (work / "log").read_text(errors="replace"))
        return Ended(reason[0] if reason else "", str(place), float(at) if at else None, int(timeline or "0", 16))
    return None
