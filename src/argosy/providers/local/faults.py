"""What the operating system complains of, in the words of the error tree."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from argosy import errors

PASSING = frozenset({errno.EBUSY, errno.EAGAIN, errno.EINTR, errno.ENOMEM, errno.EMFILE, errno.ENFILE})
"""What may well succeed when it is tried again."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of system calls leave as CloudBusy (worth a retry) or CloudFailed, saying what was being done."""
    try:
        yield
    except OSError as error:
        kind = errors.CloudBusy if error.errno in PASSING else errors.CloudFailed
        raise kind(f"{doing}: {_cause(error)}") from error


def _cause(error: OSError) -> str:
    cause = (error.strerror or str(error)).lower()
    if error.errno == errno.ENOSPC:
        cause += " - free some on the disk of the state directory"
    return f"{cause} ({error.filename})" if error.filename else cause


def run(argv: Sequence[str], *, told: str = "", held: Sequence[int] = ()) -> str:
    """What the program printed. It dies with us, and holds the descriptors (locks among them) until then.
    Raises CloudFailed with its last words.
    """
    if shutil.which(argv[0]) is None:
        raise errors.CloudFailed(f"{argv[0]} is not installed: install the package that holds it")
    mortal = ["setpriv", "--pdeathsig", "KILL", *argv]
    done = subprocess.run(mortal, input=told, capture_output=True, text=True, check=False, pass_fds=held)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise errors.CloudFailed(f"{argv[0]} ended with {done.returncode}: {words}")
    return done.stdout
