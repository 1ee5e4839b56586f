"""Webhooks: what is signed, when is tried again, where nothing is sent."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Sequence
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from argosy import errors

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_PAUSE = 600.0
LONGEST_URL = 2048


class State(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    """by its owner"""
    FAILING = "failing"
    """given up until its owner resumes it"""


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """What stands in the header Argosy-Signature."""
    signed = str(timestamp).encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def pause(failures: int) -> float:
    """Seconds until the next try after so many failures in a row."""
    return float(min(2.0 ** min(failures - 1, 20), LONGEST_PAUSE))


def told(kinds: Sequence[str], kind: str) -> bool:
    """Whether a webhook with these beginnings of kinds is told of this one."""
    return not kinds or kind.startswith(tuple(kinds))


def target(url: str) -> SplitResult:
    """Raises BadRequest for what is no address of a web server."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known or len(url) > LONGEST_URL or not (url.isascii() and url.isprintable()) or " " in url:
        raise errors.BadRequest("url must be an http:// or https:// address in ASCII")
    if parts.username or parts.password or parts.fragment:
        raise errors.BadRequest(
            "url must have neither a user, a password nor a fragment: who calls is told by the signature"
        )
    return parts


def networks(told: str) -> tuple[Network, ...]:
    """From a setting: separated by commas. Raises Broken."""
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in told.split(",") if each.strip())
    except ValueError as error:
        raise errors.Broken(f"webhooks: {error}") from error


def refused(address: str, refused_networks: Iterable[Network], allowed_networks: Iterable[Network]) -> bool:
    """Whether nothing may be sent there. An IPv4 address in IPv6's clothes is the IPv4 address."""
    forms = _forms(ipaddress.ip_address(address.partition("%")[0]))
    if any(form in network for form in forms for network in allowed_networks):
        return False
    return any(form in network for form in forms for network in refused_networks)


TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a translating gateway spells them (RFC 6052)."""


def _forms(address: Address) -> list[Address]:
    forms: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        forms += [each for each in (address.ipv4_mapped, address.sixtofour) if each is not None]
        if address in TRANSLATED:
            forms.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return forms
