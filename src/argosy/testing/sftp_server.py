"""OpenSSH's own server on loopback, for SFTP only: in processes of its own, with keys of its own, as a user without
rights.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy.stores.sftp_requests import Place
from argosy.testing import claims
from argosy.testing.waiting import eventually

USER = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"

SETTINGS = """
ListenAddress 127.0.0.1:{port}
HostKey {home}/host
AuthorizedKeysFile {home}/user.pub
StrictModes no
UsePAM yes
PasswordAuthentication no
PidFile none
MaxStartups 100
Subsystem sftp internal-sftp
ForceCommand internal-sftp {options}
"""
"""PAM lets in who has a key and no password. Many who come at once are no attack here."""


@dataclass
class Sftp:
    """`kill` and `start` as often as wanted; what was stored stays."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _ended: bool = False

    @property
    def data(self) -> Path:
        """What it stores objects in."""
        return self.home / "data"

    @property
    def known(self) -> str:
        """Its line of known_hosts."""
        return f"[127.0.0.1]:{self.port} {(self.home / 'host.pub').read_text()}"

    @property
    def private_key(self) -> str:
        """That opens it."""
        return (self.home / "user").read_text()

    @property
    def place(self) -> Place:
        return Place("127.0.0.1", self.port, str(self.data), "", self.known, USER, self.private_key, "")

    def start(self) -> None:
        """Unless it runs, or was ended for good meanwhile."""
        if self._ended:
            return
        if self.process is None:
            argv = [str(shutil.which("sshd", path=PATH)), "-D", "-e", "-f", str(self.home / "sshd_config")]
            with (self.home / "log").open("ab") as log:
                self.process = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home, **_as_user()
                )
        eventually(self.answers, within=30)

    def start_in(self, seconds: float) -> threading.Timer:
        """To be joined."""
        timer = threading.Timer(seconds, self.start)
        timer.start()
        return timer

    def kill(self) -> None:
        """With all that it serves, in the middle of whatever it does."""
        if self.process is not None:
            for each in [self.process.pid, *_descendants(self.process.pid)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def end(self) -> None:
        self._ended = True
        self.kill()

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as there:
            return there.recv(4) == b"SSH-"
        return False


@contextmanager
def running(options: str = "") -> Iterator[Sftp]:
    """A server that answers; `options` are internal-sftp's. Skips the test where there is none, or fails it where
    REQUIRE_ENGINES names sftp.
    """
    _require()
    with tempfile.TemporaryDirectory(prefix="ag-sftp-", dir="/var/tmp") as directory:
        server = Sftp(Path(directory), claims.port())
        _configure(server, options)
        try:
            server.start()
            yield server
        finally:
            server.end()


def _require() -> None:
    if shutil.which("sshd", path=PATH) and shutil.which("ssh-keygen"):
        return
    missing = "no sshd on this machine: it comes with openssh-server"
    pytest.fail(missing) if "sftp" in os.environ.get("REQUIRE_ENGINES", "").split(",") else pytest.skip(missing)


def _configure(server: Sftp, options: str) -> None:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", server.home / name], check=True)
    told = SETTINGS.format(port=server.port, home=server.home, options=options)
    (server.home / "sshd_config").write_text(told)
    server.data.mkdir()
    for each in (server.home, *server.home.iterdir()):
        shutil.chown(each, USER)


def _as_user() -> dict[str, Any]:
    if os.geteuid():
        return {}
    return {"user": USER, "group": pwd.getpwnam(USER).pw_gid, "extra_groups": []}


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [found for child in children for found in (child, *_descendants(child))]
