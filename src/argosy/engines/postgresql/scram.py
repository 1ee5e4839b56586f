"""Makes the verifier that PostgreSQL stores for a password, so that the password itself never reaches the server.

A password inside a statement ends up in its log, its statistics and its replication stream.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from types import ModuleType

ITERATIONS = 4096


def verifier(password: str, salt: bytes = b"") -> str:
    """`SCRAM-SHA-256$…` as RFC 5803 has it, with a fresh salt unless one is given."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password).encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    served = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${ITERATIONS}:{_base64(salt)}${_base64(stored)}:{_base64(served)}"


def prepared(password: str) -> str:
    """SASLprep (RFC 4013) as PostgreSQL and its clients apply it: what it forbids is taken as it is."""
    if password.isascii():
        return password
    import stringprep  # its tables are megabytes that a guest with ASCII passwords never needs
    import unicodedata

    mapped = (" " if stringprep.in_table_c12(each) else each for each in password if not stringprep.in_table_b1(each))
    normal = unicodedata.normalize("NFKC", "".join(mapped))
    return normal if _allowed(normal, stringprep) else password


def _allowed(text: str, tables: ModuleType) -> bool:
    names = ("a1", "c12", "c21_c22", "c3", "c4", "c5", "c6", "c7", "c8", "c9")
    forbidden = any(getattr(tables, f"in_table_{name}")(each) for name in names for each in text)
    return bool(text) and not forbidden and _one_direction(text, tables)


def _one_direction(text: str, tables: ModuleType) -> bool:
    """RFC 3454, section 6: text that runs from right to left does so from its first character to its last."""
    leftward = [tables.in_table_d1(each) for each in text]
    return not any(leftward) or (leftward[0] and leftward[-1] and not any(map(tables.in_table_d2, text)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
