"""The deployment's certificate authority: public by nature; administrators see how it is, and have it rotated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.db.tables import Run
from argosy.guest import authority, signing, succession
from argosy.workflows import rotate_authority

OVERLAP_DAYS = 30
LONGEST_OVERLAP = 365


def show(request: Request) -> Answer:
    """What clients verify their databases by: one certificate, while it is being rotated two."""
    keys = request.services.settings.keys
    if not (keys / "ca.crt").exists():
        raise errors.NotFound("this deployment has no certificate authority yet: `argosy up` makes one")
    return Answer(200, text=authority.trusted(keys), media_type="application/x-pem-file")


def describe(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"authority": _view(session, request.services.settings.keys)})


def rotate(request: Request) -> Answer:
    """202 with how it is now; the new authority signs after `overlap_days`, in which clients fetch it."""
    fields = Fields(request.body or {}).object("rotate")
    days = fields.integer("overlap_days", least=0, most=LONGEST_OVERLAP)
    with request.services.database.write() as session:
        rotate_authority.admit(session, request.caller, OVERLAP_DAYS if days is None else days)
    with request.services.database.read() as session:
        return Answer(202, {"authority": _view(session, request.services.settings.keys)})


def _view(session: Session, keys: Path) -> dict[str, Any]:
    """The one that signs is named by its fingerprint."""
    trusted = [_certificate(each) for each in authority.certificates(keys)]
    view = {"stage": succession.stage(keys), "signing": authority.load(keys).fingerprint, "trusted": trusted}
    mine = (Run.workflow == rotate_authority.rotate_authority.name, Run.subject == rotate_authority.SUBJECT)
    last = session.scalars(select(Run).where(*mine).order_by(Run.created.desc()).limit(1)).one_or_none()
    return {**view, "rotation": _rotation(last)} if last else view


def _certificate(certificate: x509.Certificate) -> dict[str, str]:
    return {
        "subject": certificate.subject.rfc4514_string(),
        "fingerprint": signing.fingerprint(certificate),
        "expire_at": clock.timestamp(certificate.not_valid_after_utc.timestamp()),
    }


def _rotation(run: Run) -> dict[str, str]:
    view = {"state": run.state, "step": run.step, "started": clock.timestamp(run.created)}
    return {**view, "message": run.fault or run.note} if run.fault or run.note else view
