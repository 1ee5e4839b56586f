"""What a guest's server shows, and whose clients it lets in: rows, and what is issued or handed out by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.db.tables import Certificate, Endpoint, Instance
from argosy.guest import authority
from argosy.guest.authority import Authority, Issued
from argosy.model.guest import TlsMode


def row(session: Session, instance_id: str) -> Certificate:
    """The instance's, made where there is none yet."""
    found = session.get(Certificate, instance_id)
    if found is None:
        found = Certificate(instance_id=instance_id, shown="", authority="", updated=clock.now())
        session.add(found)
        session.flush()
    return found


def hand_out(session: Session, signing: Authority, days: int, guest: str) -> Issued:
    """What this guest's server is to show from now on: what was brought, or a new certificate for exactly the names of
    its endpoints. Its `authority` is whose certificates clients may show. Raises Conflict when it has no endpoint.
    """
    kept, names = row(session, guest), endpoint_names(session, guest)
    if not names:
        raise errors.Conflict("this guest has no endpoint yet: a certificate would name nothing")
    given = _brought(kept) or signing.issue(names, days)
    kept.shown, kept.authority = given.certificate, "" if kept.brought else signing.fingerprint
    kept.updated = clock.now()
    until = ends(given.certificate).timestamp()
    session.execute(update(Endpoint).where(Endpoint.instance_id == guest).values(certificate_until=until))
    return Issued(given.certificate, given.private_key, _admitted(session, kept, signing))


def endpoint_names(session: Session, instance_id: str, *, certified: bool = False) -> Sequence[str]:
    """What clients may call it; `certified`: as far as a certificate that was handed out names it."""
    endpoints = session.scalars(select(Endpoint).where(Endpoint.instance_id == instance_id)).all()
    if certified:
        endpoints = [each for each in endpoints if each.certificate_until]
    return [name for each in endpoints for name in (each.host, *each.names)]


def of_clients(session: Session, instance_id: str) -> Authority:
    """The authority of this instance's clients, made where there is none yet. It is nobody else's: who may come in
    here may not come in elsewhere.
    """
    kept = row(session, instance_id)
    if kept.clients is None:
        kept.clients = authority.of_clients(f"Clients of {instance_id}")
    return authority.opened(kept.clients)


def ends(pem: str) -> datetime:
    """When the first certificate of the text is no longer good."""
    return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc


def _brought(kept: Certificate) -> Issued | None:
    told = kept.brought
    return Issued(told["certificate"], told["private_key"], told["authority"]) if told else None


def _admitted(session: Session, kept: Certificate, signing: Authority) -> str:
    instance = session.get(Instance, kept.instance_id)
    if instance is None or instance.tls_mode != TlsMode.MTLS:
        return signing.pem
    brought = kept.brought["authority"] if kept.brought else ""
    return brought or of_clients(session, kept.instance_id).pem
