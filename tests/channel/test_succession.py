"""One authority takes another's place: at every moment a key has its certificate, and what is trusted holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from argosy.guest import authority, succession
from argosy.guest.authority import Authority
from argosy.guest.succession import Stage


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    authority.make(tmp_path / "keys")
    return tmp_path / "keys"


def verifies(signing: Authority, trusted: str) -> bool:
    issued = x509.load_pem_x509_certificate(signing.issue(["db.example.com"], 1).certificate.encode())
    store = verification.Store(x509.load_pem_x509_certificates(trusted.encode()))
    verifier = verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName("db.example.com"))
    try:
        verifier.verify(issued, [])
    except verification.VerificationError:
        return False
    return True


def test_from_one_to_the_next(keys: Path) -> None:
    old = authority.load(keys)
    succession.begin(keys)
    assert succession.stage(keys) is Stage.ANNOUNCED
    assert authority.load(keys).fingerprint == old.fingerprint
    both = authority.trusted(keys)
    succession.promote(keys)
    new = authority.load(keys)
    assert succession.stage(keys) is Stage.PROMOTED
    assert new.fingerprint != old.fingerprint
    assert verifies(old, both)
    assert verifies(new, both)
    assert verifies(old, authority.trusted(keys))
    succession.retire(keys)
    assert succession.stage(keys) is Stage.SETTLED
    assert not verifies(old, authority.trusted(keys))
    assert verifies(new, authority.trusted(keys))
    assert sorted(each.name for each in keys.iterdir()) == ["ca.crt", "ca.key"]


def test_every_move_may_be_repeated(keys: Path) -> None:
    for move in (succession.begin, succession.promote, succession.retire):
        move(keys)
        before = {each.name: each.read_bytes() for each in keys.iterdir()}
        move(keys)
        assert {each.name: each.read_bytes() for each in keys.iterdir()} == before


def test_a_crash_between_the_renames_of_a_promotion(keys: Path) -> None:
    succession.begin(keys)
    shutil.copy(keys / "ca.crt", keys / "old.crt")
    (keys / "next.key").replace(keys / "ca.key")
    halfway = authority.load(keys)
    assert verifies(halfway, authority.trusted(keys))
    succession.promote(keys)
    assert authority.load(keys).fingerprint == halfway.fingerprint
    assert succession.stage(keys) is Stage.PROMOTED


def test_who_holds_the_authority_notices(keys: Path) -> None:
    current = authority.Current(keys)
    before = current().fingerprint
    succession.begin(keys)
    assert current().fingerprint == before
    assert current().pem == authority.trusted(keys)
    succession.promote(keys)
    assert current().fingerprint != before
