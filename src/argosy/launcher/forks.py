"""A child by fork: settled in its own process group, ending when its parent does."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
"""prctl(2)"""
BROKEN = 70
"""Exit status of a body that raised (EX_SOFTWARE of sysexits.h)."""


def fork(body: Callable[[], int], log: Path | None = None, user: pwd.struct_passwd | None = None) -> int:
    """The pid of a child that runs `body` and exits with what it returns.

    Its standard output and error go to `log`; it is `user` for ever, without any way back to root.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = BROKEN
    try:
        _settle(parent, log, user)
        status = body()
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else BROKEN
    except BaseException:  # noqa: BLE001 - nothing may unwind into the parent's stack
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def ask(question: Callable[[], str], user: pwd.struct_passwd | None) -> str:
    """What `question` answers when that user asks it, or we ourselves in another process; nothing if it breaks."""
    out, into = os.pipe()

    def body() -> int:
        os.write(into, question().encode())
        return 0

    pid = fork(body, user=user)
    os.close(into)
    with os.fdopen(out, "rb") as answer:
        told = answer.read().decode()
    os.waitpid(pid, 0)
    return told


def _settle(parent: int, log: Path | None, user: pwd.struct_passwd | None) -> None:
    # A Ctrl-C at the terminal is for the parent, which then ends us in order.
    os.setpgid(0, 0)
    if log is not None:
        with appended(log) as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
    if user is not None:
        _become(user)
    _end_with(parent)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())


def _become(user: pwd.struct_passwd) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _end_with(parent: int) -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # after setuid, which clears it
    if os.getppid() != parent:  # it died before we said so
        os._exit(BROKEN)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def appended(log: Path) -> BinaryIO:
    """A log file that only its owner reads, open at its end. Follows no symbolic link."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "ab")
