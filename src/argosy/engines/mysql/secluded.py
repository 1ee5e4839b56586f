"""A server that nobody reaches but who starts it: statements of a dump or of the binary log are run in it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.mysql import configuration, tools, wire
from argosy.engines.mysql.accounts import ADMINISTRATOR
from argosy.engines.mysql.configuration import init_sql
from argosy.engines.mysql.finder import LAYOUT, base, share
from argosy.model.guest import Secret, Site

STOP_SECONDS = 600.0
LARGEST_STATEMENT = 1 << 30
HURRIED = (
    "--skip-networking",
    "--skip-log-bin",
    "--skip-slow-query-log",
    "--skip-general-log",
    "--event-scheduler=OFF",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=OFF",
    "--innodb-fast-shutdown=1",
    f"--max-allowed-packet={LARGEST_STATEMENT}",
    "--wait-timeout=31536000",
)
"""What is made is thrown away unless it is made to its end, and synced then: nothing needs to outlive a crash."""


@dataclass(frozen=True)
class Secluded:
    socket: Path
    password: str

    def session(self, seconds: float) -> wire.Connection:
        return wire.Connection(self.socket, ADMINISTRATOR, self.password, seconds)


@contextmanager
def server(site: Site, scratch: Path, options: Sequence[str]) -> Iterator[Secluded]:
    """Answers when the block begins, and has ended cleanly when it is left. Raises GuestFailed in the server's words.

    One at a time on a site: what somebody who was killed has left running is ended first.
    """
    here = Secluded(files.socket_path(site.state, "load.sock"), Secret.generate().value)
    first = scratch / "first.sql"
    files.write(first, init_sql(ADMINISTRATOR, wire.native_hash(here.password)))
    argv = (
        str(LAYOUT.place(site.root) / "mariadbd"),
        *options,
        *HURRIED,
        f"--socket={here.socket}",
        f"--pid-file={scratch / 'load.pid'}",
        f"--init-file={first}",
    )
    with programs.alone(site.state / "load.lock") as lock, (scratch / "server.log").open("w+b") as log:
        process = subprocess.Popen(
            argv, env=dict(programs.ENVIRONMENT), stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[lock]
        )
        try:
            _await(process, here, scratch / "server.log")
            yield here
            _stop(process, scratch / "server.log")
        finally:
            process.kill()
            process.wait()


def client(site: Site, login: str) -> tuple[str | Path, ...]:
    """What runs the statements that it reads, up to the first that fails."""
    packet = f"--max-allowed-packet={LARGEST_STATEMENT}"
    options = ("--batch", "--binary-mode", "--no-auto-rehash", "--skip-reconnect", "--local-infile=0", packet)
    return tools.find(site.root, tools.CLIENT), login, *options


def as_configured(site: Site) -> tuple[str, ...]:
    """Of data that have a configuration."""
    return (f"--defaults-file={site.state / 'my.cnf'}",)


def unconfigured(site: Site) -> tuple[str, ...]:
    """Of data that are just being made."""
    return (
        "--no-defaults",
        f"--basedir={base(site.root)}",
        f"--lc-messages-dir={share(site.root)}",
        f"--character-sets-dir={share(site.root) / 'charsets'}",
        f"--datadir={site.data / 'db'}",
        f"--tmpdir={site.data}",
        f"--innodb-buffer-pool-size={configuration.shares(site.memory).buffer_pool}",
        f"--innodb-log-file-size={configuration.log_bytes(site)}",
        "--innodb-strict-mode=OFF",
        "--performance-schema=OFF",
    )


def _await(process: subprocess.Popen[bytes], here: Secluded, log: Path) -> None:
    """However long it recovers: while it runs, it gets on."""
    while True:
        try:
            here.session(10).close()
        except (OSError, wire.ServerError):
            if process.poll() is not None:
                raise _failed(process, log) from None
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes], log: Path) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise errors.GuestFailed(f"MariaDB did not stop within {STOP_SECONDS:.0f} s") from None
    if process.returncode:
        raise _failed(process, log)


def _failed(process: subprocess.Popen[bytes], log: Path) -> errors.GuestFailed:
    words = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
    return errors.GuestFailed(f"MariaDB ended with {process.returncode}: {words}")
