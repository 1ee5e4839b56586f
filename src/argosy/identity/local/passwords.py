"""Password hashes: argon2id, two at a time at most, and no faster for a user that does not exist."""

from __future__ import annotations

from threading import BoundedSemaphore

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from argosy import errors

LONGEST = 1024
"""characters; what is longer is refused before it costs anything"""

# OWASP's second choice for argon2id: 19 MiB and two passes cost some 30 ms, so that many logins at once do not
# starve the databases on the same machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
_turns = BoundedSemaphore(2)
_nobody = "$argon2id$v=19$m=19456,t=2,p=1$p0rFgJxR3uTURREtn6vbJw$pYJrpS1LQc4o+qu42dwYOWuIOR3Xz70QAheVCQypDtI"


def hashed(password: str) -> str:
    """Raises BadRequest for an empty or endless password."""
    if not 0 < len(password) <= LONGEST:
        raise errors.BadRequest(f"a password has 1 to {LONGEST} characters")
    with _turns:
        return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether it is the right password. Takes as long when there is nobody (None) to compare with."""
    if len(password) > LONGEST:
        return False
    with _turns:
        try:
            return _hasher.verify(stored or _nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
