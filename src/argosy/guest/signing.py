"""How certificates are made: of an authority, of a server, of a client. Elliptic curve P-256 throughout."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from argosy import clock

AUTHORITY_DAYS = 7300
BACKDATED = timedelta(hours=1)
"""Guests' clocks may lag a little behind ours."""
COMMON_NAME_LENGTH = 64
"""characters (RFC 5280, ub-common-name)"""

Extensions = Sequence[tuple[x509.ExtensionType, bool]]
"""each with whether it is critical"""


@dataclass(frozen=True)
class Signer:
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def authority(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    """Self-signed; it signs certificates of servers and clients, and of no further authority."""
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
    subject, public = _named(name), key.public_key()
    extensions: Extensions = (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
    )
    return _extended(_builder(subject, subject, public, AUTHORITY_DAYS), extensions).sign(key, hashes.SHA256())


def server(signer: Signer, key: ec.EllipticCurvePrivateKey, names: Sequence[str], days: int) -> x509.Certificate:
    """For exactly these host names and addresses, the first being its subject."""
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)])
    extensions = [(alternatives, False), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)]
    return _signed(signer, key, names[0], days, extensions)


def client(signer: Signer, key: ec.EllipticCurvePrivateKey, name: str, days: int) -> x509.Certificate:
    return _signed(signer, key, name, days, [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)])


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256, hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def _signed(
    signer: Signer, key: ec.EllipticCurvePrivateKey, name: str, days: int, more: Extensions
) -> x509.Certificate:
    builder = _builder(_named(name), signer.certificate.subject, key.public_key(), days)
    extensions: Extensions = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), False),
        *more,
    )
    return _extended(builder, extensions).sign(signer.key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:COMMON_NAME_LENGTH])])


def _extended(builder: x509.CertificateBuilder, extensions: Extensions) -> x509.CertificateBuilder:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder


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


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
