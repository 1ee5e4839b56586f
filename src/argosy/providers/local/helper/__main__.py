"""`python -m argosy.providers.local.helper --state DIR`: run as root, ends on SIGTERM, may be killed at any moment."""

from __future__ import annotations

import argparse
import logging
import os
import pwd
import signal
import socket
import sys
from pathlib import Path

from argosy import errors, logs, settings
from argosy.providers.local import parts
from argosy.providers.local.helper import server
from argosy.providers.local.layout import Layout
from argosy.providers.local.locks import alone

log = logging.getLogger(__name__)

STICKY = 0o1771
"""The unprivileged processes keep their files in the state directory too; they cannot replace root's there."""


def main() -> int:
    told = _arguments()
    logs.start("helper")
    try:
        user = pwd.getpwnam(told.user)
        run(settings.load(told.state), user)
    except (errors.ArgosyError, KeyError) as error:
        log.error("cannot start", extra={"cause": str(error)})  # noqa: TRY400 - the cause says it all
        return 1
    return 0


def run(configured: settings.Settings, user: pwd.struct_passwd) -> None:
    layout = Layout(configured.state.resolve())
    secure(layout, user.pw_gid)
    with alone(layout.addresses):  # until the one before has ended
        served = parts.as_root(configured)
        served.prepare()
        listener = server.listen(layout.helper_socket, user.pw_gid)
        log.info("ready", extra={"socket": str(layout.helper_socket)})
        server.serve(listener, server.Desk(served, frozenset({0, user.pw_uid})), _end_of_it())


def secure(layout: Layout, group: int) -> None:
    """Nobody but root can put something else in the place of what root uses below the state directory."""
    layout.run.mkdir(mode=0o755, parents=True, exist_ok=True)
    os.chown(layout.state, 0, group)
    layout.state.chmod(STICKY)
    for directory in _roots_own(layout):
        directory.mkdir(mode=0o711, exist_ok=True)
        if directory.is_symlink() or directory.stat().st_uid != 0:
            raise errors.CloudFailed(f"{directory} does not belong to root: remove it")


def _roots_own(layout: Layout) -> tuple[Path, ...]:
    seen = (layout.mounts, layout.pool, layout.addresses, layout.guests, layout.servers, layout.users)
    return (*seen, layout.published, layout.public_ports)


def _end_of_it() -> socket.socket:
    """Something is to be read from it once we are told to end, whatever the main thread is about then: a handler alone
    would not wake it between looking for signals and waiting for a caller.
    """
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="argosy.providers.local.helper", description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the state directory")
    parser.add_argument("--user", default="argosy", help="the user that may ask, besides root")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
