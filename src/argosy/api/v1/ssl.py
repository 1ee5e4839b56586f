"""How an instance speaks TLS (Trove: ssl): what it shows, its mode, certificates of one's own, and the way back."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy.orm import Session

from argosy import clock, errors
from argosy.api import query
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import asking, instance_rows
from argosy.db import events
from argosy.db.tables import Certificate, Instance, Run
from argosy.guest import certificates, material, unpacking
from argosy.model.guest import TlsMode
from argosy.model.status import Task
from argosy.workflows import change_tls
from argosy.workflows.change_tls import Tls

PATIENCE = 15.0
"""Seconds that the guest has for a change while the client waits."""
OPERATIONS = ("enable", "disable", "rollback")
MODES = (TlsMode.BASIC, TlsMode.ENFORCED, TlsMode.MTLS)
BUILTIN, CURRENT = "builtin", "current"
"""What `container_ref` may say besides Barbican's references: a certificate of the deployment's authority; whatever
is shown now.
"""
Brought = dict[str, Any]
"""A certificate of one's own: certificate, private_key and authority, as PEM."""
PEM_LENGTH = 65_536
CLIENT_DAYS = 365


def show(request: Request) -> Answer:
    """`payload` only where the query asks for it: `include_certificate=true`."""
    whole = query.flag(request, "include_certificate")
    with request.services.database.read() as session:
        return Answer(200, {"ssl": _view(session, instance_rows.one(session, request), whole=whole)})


def change(request: Request) -> Answer:
    """Answers once it is so, as Trove does."""
    fields = request.fields("ssl")
    operation, inline = _operation(fields), _inline(fields)
    with asking.seat(request):
        run = _admit(request, operation, fields, inline)
        if not asking.outcome(request, run.id, PATIENCE):
            raise asking.late(PATIENCE)
    with request.services.database.read() as session:
        instance = session.get_one(Instance, run.subject)
        view = _view(session, instance, whole=False)
        return Answer(200, {"ssl": {"restart_required": instance.task == Task.RESTART_REQUIRED, **view}})


def create_client(request: Request) -> Answer:
    """A certificate for a client of this instance, told once: its key is kept nowhere."""
    fields = request.fields("client")
    name, days = fields.needed_text("name", most=64), fields.integer("days", least=1, most=3650) or CLIENT_DAYS
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        kept = certificates.row(session, instance.id)
        if kept.brought and kept.brought["authority"]:
            raise errors.BadRequest(
                "clients are known by the authority that came with your certificate: it issues theirs"
            )
        issued = certificates.of_clients(session, instance.id).issue_client(name, days)
        told = {"name": name, "expire_at": _time(issued.certificate)}
        events.tell(session, "dbaas.client_certificate_create", subject=instance.id, **told)
    client = {"name": name, "certificate": issued.certificate, "private_key": issued.private_key}
    return Answer(200, {"client": {**client, "expire_at": _time(issued.certificate)}})


def _operation(fields: Fields) -> str:
    asked = [name for name in OPERATIONS if fields.flag(name)]
    if len(asked) != 1:
        raise errors.BadRequest("Exactly one of enable, disable and rollback must be true.")
    return asked[0]


def _admit(request: Request, operation: str, fields: Fields, inline: Brought | None) -> Run:
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        wanted = _wanted(session, instance, operation, fields, inline)
        asking.require_running(session, instance)
        return change_tls.admit(session, request.caller, instance, wanted)


def _wanted(session: Session, instance: Instance, operation: str, fields: Fields, inline: Brought | None) -> Tls:
    if operation == "rollback":
        return change_tls.before(session, instance)
    had = change_tls.now(session, instance)
    if operation == "disable":
        return Tls(TlsMode.OFF, had.brought)
    mode = TlsMode(fields.choice("mode", MODES) or TlsMode.BASIC)
    return Tls(mode, inline or _referred(fields, had))


def _referred(fields: Fields, had: Tls) -> Brought | None:
    """Raises BadRequest, and NotSupported for what only a cloud could look up."""
    reference = fields.text("container_ref", most=2048)
    if reference is None:
        raise errors.BadRequest(
            "container_ref is missing: 'builtin' for a certificate of this deployment's authority, 'current' for the"
            " one that is shown now; or bring yours: pkcs12 and password, or certificate, private_key and authority"
        )
    if reference not in (BUILTIN, CURRENT):
        raise errors.NotSupported(
            "a container_ref of Barbican needs a cloud that has it, and this deployment has none: name 'builtin' for a"
            " certificate of its own authority, or bring yours in the request: pkcs12, or certificate and private_key"
        )
    return had.brought if reference == CURRENT else None


def _inline(fields: Fields) -> Brought | None:
    """What the request itself brings: our addition to Trove's body. Takes its time: not within a transaction."""
    if "pkcs12" in fields:
        names: tuple[str, ...] = ("pkcs12", "password")
    elif "certificate" in fields or "private_key" in fields:
        names = ("certificate", "private_key", "authority")
    else:
        return None
    given = unpacking.read({name: _block(fields, name) for name in names})
    return {"certificate": given.certificate, "private_key": given.private_key, "authority": given.authority}


def _block(fields: Fields, name: str) -> str:
    """Text of several lines; empty where there is none."""
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > PEM_LENGTH:
        raise fields.wrong(name, f"must be a string of at most {PEM_LENGTH} characters")
    return value


def _view(session: Session, instance: Instance, *, whole: bool) -> dict[str, Any]:
    if instance.tls_mode == TlsMode.OFF:
        return {"status": "off"}
    kept = session.get(Certificate, instance.id)
    view: dict[str, Any] = {"status": "on", "mode": instance.tls_mode}
    if kept is None or not kept.shown:
        return view
    certificate = _certificate(kept, whole=whole)
    unnamed = sorted({*certificates.endpoint_names(session, instance.id)} - {*(certificate["san"] or ())})
    return {**view, "certificate": {**certificate, **({"unnamed": unnamed} if unnamed else {})}}


def _certificate(kept: Certificate, *, whole: bool) -> dict[str, Any]:
    shown = x509.load_pem_x509_certificate(kept.shown.encode())
    common = shown.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    view = {
        "cn": str(common[0].value) if common else "",
        "expire_at": _time(kept.shown),
        "san": list(material.names(shown)) or None,
        "brought": kept.brought is not None,
    }
    if not whole:
        return view
    return {**view, "payload": kept.shown, **({"authority": kept.brought["authority"]} if kept.brought else {})}


def _time(pem: str) -> str:
    return clock.timestamp(certificates.ends(pem).timestamp())
