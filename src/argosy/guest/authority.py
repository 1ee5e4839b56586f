"""The deployment's own certificate authority: what guests pin, and what signs the certificates of engines.

In `settings.keys`: `ca.key` signs, `ca.crt` is its certificate. While another one takes its place (guest/succession.py)
`next.*` or `old.crt` stand beside them, and their certificates are trusted too.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from argosy import errors
from argosy.guest import signing
from argosy.guest.signing import Signer

CERTIFICATES = ("ca.crt", "next.crt", "old.crt")
"""of those that are trusted, as far as they are there"""


SHOWN = "conductor.authority"
"""Name of the Fact that tells the fingerprint of the authority by which the conductor is known."""


class BadAuthority(errors.Broken):
    """the certificate authority cannot be used: put back keys/ca.key and keys/ca.crt of this deployment"""


@dataclass(frozen=True)
class Issued:
    """PEM texts. The private key is kept by nobody but its owner."""

    certificate: str
    private_key: str
    authority: str


class Authority:
    """Signs with one key."""

    def __init__(self, signer: Signer, trusted: Sequence[x509.Certificate]) -> None:
        self._signer = signer
        self.pem = "".join(signing.pem(each) for each in trusted)
        """What clients and guests trust: our own certificate, and those of our successor or predecessor."""
        self.fingerprint = signing.fingerprint(signer.certificate)

    def issue(self, names: Sequence[str], days: int) -> Issued:
        """A new key and a certificate for exactly these host names and addresses, the first being its subject."""
        key = signing.new_key()
        return self._issued(key, signing.server(self._signer, key, names, days))

    def issue_client(self, name: str, days: int) -> Issued:
        """A new key and a certificate for a client that is called so."""
        key = signing.new_key()
        return self._issued(key, signing.client(self._signer, key, name, days))

    def _issued(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Issued:
        return Issued(signing.pem(certificate), signing.private_pem(key), self.pem)


class Current:
    """The authority as it is now: read again whenever its files have changed."""

    def __init__(self, keys: Path) -> None:
        self._keys = keys
        self._seen = _stamp(keys)
        self._authority = load(keys)

    def __call__(self) -> Authority:
        """Raises BadAuthority."""
        seen = _stamp(self._keys)
        if seen != self._seen:
            self._authority, self._seen = load(self._keys), seen
        return self._authority


def make(keys: Path) -> None:
    """A new authority in `keys` (ca.key of mode 0600, ca.crt); an existing one stays. Safe after a crash in it."""
    ensure(keys, "ca")


def ensure(keys: Path, name: str) -> None:
    """A pair of this name; an existing one stays. Safe after a crash in it."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, certificate = keys / f"{name}.key", keys / f"{name}.crt"
    if not key.exists():
        keep(key, signing.private_pem(signing.new_key()), 0o600)
    if not certificate.exists():
        keep(certificate, signing.pem(signing.authority(read_key(key), _name())), 0o644)


def load(keys: Path) -> Authority:
    """Raises BadAuthority."""
    key, trusted = read_key(keys / "ca.key"), certificates(keys)
    own = [each for each in trusted if each.public_key() == key.public_key()]
    if not own:
        raise BadAuthority(f"{keys / 'ca.crt'} does not belong to ca.key: put back the pair of this deployment")
    return Authority(Signer(key, own[0]), trusted)


def certificates(keys: Path) -> Sequence[x509.Certificate]:
    """Of all that are trusted, each once. Raises BadAuthority."""
    return list(dict.fromkeys(read(keys / name) for name in CERTIFICATES if name == "ca.crt" or (keys / name).exists()))


def trusted(keys: Path) -> str:
    """The same as PEM."""
    return "".join(signing.pem(each) for each in certificates(keys))


def of_clients(name: str) -> dict[str, str]:
    """A new authority of its own for the clients of one server: PEM texts."""
    key = signing.new_key()
    return {"certificate": signing.pem(signing.authority(key, name)), "private_key": signing.private_pem(key)}


def opened(kept: dict[str, str]) -> Authority:
    """One that `of_clients` made."""
    key = serialization.load_pem_private_key(kept["private_key"].encode(), password=None)
    certificate = x509.load_pem_x509_certificate(kept["certificate"].encode())
    assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - we made it
    return Authority(Signer(key, certificate), [certificate])


def read(file: Path) -> x509.Certificate:
    """Raises BadAuthority."""
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadAuthority(f"{file} cannot be used: {error}") from error


def read_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Raises BadAuthority."""
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise BadAuthority(f"{file} cannot be used: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise BadAuthority(f"{file} must hold an elliptic curve key")
    return key


def keep(file: Path, text: str, mode: int) -> None:
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


def _name() -> str:
    return f"Argosy authority {secrets.token_hex(4)}"


def _stamp(keys: Path) -> tuple[tuple[str, int, int], ...]:
    found = ((name, keys / name) for name in ("ca.key", *CERTIFICATES))
    return tuple((name, file.stat().st_ino, file.stat().st_mtime_ns) for name, file in found if file.exists())
