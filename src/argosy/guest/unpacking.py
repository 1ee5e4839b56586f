"""Reads a certificate that somebody brings in a process of its own, for a few seconds at most.

A container says itself how often its password is to be hashed, a key how large it is: both can take minutes, in which
the library lets no other thread of its process run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict

from argosy import errors
from argosy.guest import material
from argosy.guest.authority import Issued

SECONDS = 5.0
"""For one with a million rounds, or a key of 4096 bits, on a busy machine."""
REFUSED = 3
"""The exit status that goes with a reason."""


def read(brought: Mapping[str, str]) -> Issued:
    """Of `pkcs12` and `password`, or of `certificate`, `private_key` and `authority`, as in `material`.

    Raises BadRequest.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(brought).encode(),
            capture_output=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise errors.BadRequest(
            f"the certificate cannot be read within {SECONDS:g} s: use a smaller key, or fewer rounds for the password"
        ) from error
    if done.returncode == REFUSED:
        raise errors.BadRequest(json.loads(done.stdout))
    if done.returncode:
        raise errors.Broken(f"reading a certificate ended with {done.returncode}: {done.stderr[-500:]!r}")
    return Issued(**json.loads(done.stdout))


def main() -> int:
    brought = json.load(sys.stdin)
    try:
        issued = material.of_pkcs12(**brought) if "pkcs12" in brought else material.of_pem(**brought)
    except errors.BadRequest as error:
        sys.stdout.write(json.dumps(error.message))
        return REFUSED
    sys.stdout.write(json.dumps(asdict(issued)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
