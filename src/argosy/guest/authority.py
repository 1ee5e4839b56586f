"""The deployment's own certificate authority: what guests pin, and what signs the certificates of engines."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy import clock, errors

AUTHORITY_DAYS = 7300
BACKDATED = timedelta(hours=1)
"""Guests' clocks may lag a little behind ours."""
COMMON_NAME_LENGTH = 64
"""characters (RFC 5280, ub-common-name)"""


class BadAuthority(errors.Broken):
    """the certificate authority cannot be used: put back keys/ca.key and keys/ca.crt of this deployment"""


@dataclass(frozen=True)
class Issued:
    """PEM texts. The private key is kept by nobody but its server."""

    certificate: str
    private_key: str
    authority: str


class Authority:
    """Signs server certificates with the key in `keys / "ca.key"`."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate
        self.pem = _pem(certificate)
        """What clients and guests trust."""

    def issue(self, names: Sequence[str], days: int) -> Issued:
        """A new key and a certificate for exactly these host names and addresses, the first being its subject."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:COMMON_NAME_LENGTH])])
        builder = _builder(subject, self._certificate.subject, key.public_key(), days)
        for extension, critical in _of_a_server(names, self._key.public_key()):
            builder = builder.add_extension(extension, critical)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Issued(_pem(certificate), _private(key), self.pem)


def make(keys: Path) -> None:
    """A new authority in `keys` (ca.key of mode 0600, ca.crt); an existing one stays. Safe after a crash in it."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (keys / "ca.key").exists():
        _keep(keys / "ca.key", _private(ec.generate_private_key(ec.SECP256R1())), 0o600)
    if not (keys / "ca.crt").exists():
        _keep(keys / "ca.crt", _pem(_self_signed(_read_key(keys / "ca.key"))), 0o644)


def load(keys: Path) -> Authority:
    """Raises BadAuthority."""
    key = _read_key(keys / "ca.key")
    try:
        certificate = x509.load_pem_x509_certificate((keys / "ca.crt").read_bytes())
    except (OSError, ValueError) as error:
        raise BadAuthority(f"{keys / 'ca.crt'} cannot be used: {error}") from error
    if certificate.public_key() != key.public_key():
        raise BadAuthority(f"{keys / 'ca.crt'} does not belong to ca.key: put back the pair of this deployment")
    return Authority(key, certificate)


def _read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadAuthority(f"{file} cannot be used: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadAuthority(f"{file} must hold an elliptic curve key")
    return key


def _keep(file: Path, text: str, mode: int) -> None:
    """Visible whole or not at all; who comes second keeps what the first one made."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Argosy authority {secrets.token_hex(4)}")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        _builder(name, name, key.public_key(), AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.fromtimestamp(clock.now(), UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
    )


def _of_a_server(names: Sequence[str], signer: ec.EllipticCurvePublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """Extensions, each with whether it is critical."""
    return [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), False),
    ]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
