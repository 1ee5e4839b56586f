"""A certificate that somebody brings for their database server: read, and judged before anything believes in it.

Every refusal is a BadRequest that says what is wrong with which part.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from argosy import clock, errors
from argosy.guest import signing
from argosy.guest.authority import Issued

LEAST_RSA_BITS = 2048
"""Smaller keys are refused by the servers' own library."""


def of_pkcs12(pkcs12: str, password: str) -> Issued:
    """Base64 of a PKCS#12 container: its certificate, its key, and the further certificates in it."""
    try:
        container = load_pkcs12(base64.b64decode(pkcs12, validate=True), password.encode() or None)
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise errors.BadRequest(f"pkcs12 cannot be read, or password is not its password: {error}") from error
    if container.cert is None or container.key is None:
        raise errors.BadRequest("pkcs12 must hold a certificate and its private key")
    further = [each.certificate for each in container.additional_certs]
    roots = [each for each in further if each.subject == each.issuer]
    chain = [each for each in further if each not in roots]
    return _checked([container.cert.certificate, *chain], container.key, roots)


def of_pem(certificate: str, private_key: str, authority: str) -> Issued:
    """The server's certificate and those between it and its authority, its key, and that authority or nothing."""
    chain, roots = _certificates("certificate", certificate), _certificates("authority", authority) if authority else []
    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise errors.BadRequest("private_key must be a PEM private key without a passphrase") from error
    return _checked(chain, key, roots)


def names(certificate: x509.Certificate) -> Sequence[str]:
    """Host names and addresses that it is good for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(each.value) for each in found if isinstance(each, x509.DNSName | x509.IPAddress)]


def _certificates(part: str, text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise errors.BadRequest(f"{part} must be one or more PEM certificates") from error


def _checked(chain: Sequence[x509.Certificate], key: PrivateKeyTypes, roots: Sequence[x509.Certificate]) -> Issued:
    _check_key(chain[0], key)
    _check_leaf(chain[0])
    _check_chain(chain, roots)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    texts = ("".join(signing.pem(each) for each in each_) for each_ in (chain, roots))
    return Issued(next(texts), private.decode(), next(texts))


def _check_key(leaf: x509.Certificate, key: PrivateKeyTypes) -> None:
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise errors.BadRequest(f"an RSA key must have {LEAST_RSA_BITS} bits at least, this one has {key.key_size}")
    elif not isinstance(key, ec.EllipticCurvePrivateKey):
        raise errors.BadRequest("the private key must be an RSA or an elliptic curve key")
    if leaf.public_key() != key.public_key():
        raise errors.BadRequest("the private key does not belong to the certificate")


def _check_leaf(leaf: x509.Certificate) -> None:
    if not names(leaf):
        raise errors.BadRequest("the certificate names no host and no address (subjectAltName): no client could use it")
    try:
        uses = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    if ExtendedKeyUsageOID.SERVER_AUTH not in uses:
        raise errors.BadRequest("the certificate is not for servers (its extended key usage lacks serverAuth)")


def _check_chain(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]) -> None:
    """Each is good now and signed by the next, the last one by an authority where one was brought."""
    for each in (*chain, *roots):
        _check_time(each)
    for lower, upper in pairwise(chain):
        if not _signed_by(lower, upper):
            raise errors.BadRequest(f"the chain is broken: {_called(lower)} was not signed by {_called(upper)}")
    if roots and not any(chain[-1] == root or _signed_by(chain[-1], root) for root in roots):
        raise errors.BadRequest(f"{_called(chain[-1])} was not signed by the authority that came with it")


def _check_time(certificate: x509.Certificate) -> None:
    now = datetime.fromtimestamp(clock.now(), UTC)
    if now > certificate.not_valid_after_utc:
        raise errors.BadRequest(f"{_called(certificate)} has expired at {certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        raise errors.BadRequest(
            f"{_called(certificate)} is not good before {certificate.not_valid_before_utc:%Y-%m-%d}"
        )


def _signed_by(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _called(certificate: x509.Certificate) -> str:
    return f"the certificate {certificate.subject.rfc4514_string() or 'without a subject'}"
