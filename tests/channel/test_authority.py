"""The deployment's certificate authority: made once, kept safe, signs exactly what it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from argosy.guest import authority


def names(pem: str) -> list[str]:
    certificate = x509.load_pem_x509_certificate(pem.encode())
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(each.value) for each in extension.value]


def test_it_is_made_once(tmp_path: Path) -> None:
    authority.make(tmp_path)
    before = [(tmp_path / name).read_bytes() for name in ("ca.key", "ca.crt")]
    authority.make(tmp_path)
    assert [(tmp_path / name).read_bytes() for name in ("ca.key", "ca.crt")] == before
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ca.crt", "ca.key"]


def test_a_crash_between_key_and_certificate_is_mended(tmp_path: Path) -> None:
    authority.make(tmp_path)
    key = (tmp_path / "ca.key").read_bytes()
    (tmp_path / "ca.crt").unlink()
    authority.make(tmp_path)
    assert (tmp_path / "ca.key").read_bytes() == key
    authority.load(tmp_path)


def test_certificates_name_exactly_what_was_asked_and_verify(tmp_path: Path) -> None:
    authority.make(tmp_path)
    signing = authority.load(tmp_path)
    issued = signing.issue(["127.0.0.9", "db.example", "::1", "db.example"], 30)
    assert names(issued.certificate) == ["127.0.0.9", "db.example", "::1"]
    leaf = x509.load_pem_x509_certificate(issued.certificate.encode())
    store = verification.Store([x509.load_pem_x509_certificate(signing.pem.encode())])
    policy = verification.PolicyBuilder().store(store)
    assert policy.build_server_verifier(x509.DNSName("db.example")).verify(leaf, [])
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 30
    assert isinstance(leaf.public_key(), ec.EllipticCurvePublicKey)


def test_a_long_name_still_has_a_certificate(tmp_path: Path) -> None:
    authority.make(tmp_path)
    long = ".".join(["a" * 60] * 3)
    assert names(authority.load(tmp_path).issue([long], 1).certificate) == [long]


@pytest.mark.parametrize(("file", "text"), [("ca.key", b"nonsense"), ("ca.crt", b"nonsense"), ("ca.key", None)])
def test_a_damaged_authority_says_which_file(tmp_path: Path, file: str, text: bytes | None) -> None:
    authority.make(tmp_path)
    (tmp_path / file).unlink()
    if text is not None:
        (tmp_path / file).write_bytes(text)
    with pytest.raises(authority.BadAuthority, match=file):
        authority.load(tmp_path)


def test_a_pair_that_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    for name in ("one", "two"):
        authority.make(tmp_path / name)
    (tmp_path / "one" / "ca.crt").write_bytes((tmp_path / "two" / "ca.crt").read_bytes())
    with pytest.raises(authority.BadAuthority, match="belong"):
        authority.load(tmp_path / "one")
