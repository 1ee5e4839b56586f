"""PostgreSQL's control file, patched."""

from __future__ import annotations

import os
import struct
import uuid

import pytest

from argosy import errors
from argosy.engines.postgresql import identity
from argosy.model.guest import Identity


def control(fields: int, number: int = 7) -> bytes:
    """The first sector of a control file whose fields end so far in."""
    body = struct.pack("<Q", number) + os.urandom(fields - 8)
    return (body + struct.pack("<I", identity.crc32c(body))).ljust(identity.SECTOR, b"\0")


@pytest.mark.parametrize(
    ("data", "checksum"), [(b"", 0), (b"123456789", 0xE3069283), (b"\0" * 32, 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43)]
)
def test_castagnoli(data: bytes, checksum: int) -> None:
    assert identity.crc32c(data) == checksum


def test_castagnoli_continues() -> None:
    assert identity.crc32c(b"6789", identity.crc32c(b"12345")) == identity.crc32c(b"123456789")


@pytest.mark.parametrize("fields", [288, 292, 296])
def test_only_identifier_nonce_and_checksum_change(fields: int) -> None:
    head, nonce = control(fields), os.urandom(32)
    after = identity.patched(head, 42, nonce)
    assert struct.unpack_from("<Q", after)[0] == 42
    assert after[8 : fields - 32] == head[8 : fields - 32]
    assert after[fields - 32 : fields] == nonce
    assert struct.unpack_from("<I", after, fields)[0] == identity.crc32c(after[:fields])
    assert after[fields + 4 :] == head[fields + 4 :]


def test_a_damaged_control_file_is_not_made_to_look_whole() -> None:
    head = bytearray(control(288))
    head[100] ^= 1
    with pytest.raises(errors.GuestFailed, match="damaged"):
        identity.patched(bytes(head), 42, bytes(32))


def test_identifiers_differ_by_instance_and_generation_and_are_positive() -> None:
    instance = str(uuid.uuid4())
    numbers = {
        identity.system_identifier(Identity(name, generation))
        for name in (instance, str(uuid.uuid4()))
        for generation in (1, 2)
    }
    assert len(numbers) == 4
    assert all(0 < number < 2**63 for number in numbers)
    assert identity.system_identifier(Identity(instance, 1)) in numbers
