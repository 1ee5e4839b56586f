"""How an instance speaks TLS: Trove's ssl sub-resource, and certificates of one's own."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import falcon.testing
import pytest
from calling import As, Create, Ready
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from seeding import VERSIONS
from sqlalchemy import text

from argosy import clock
from argosy.api.bell import Bell
from argosy.db.session import Database
from argosy.db.tables import Certificate, DatastoreVersion, Guest, Instance, Lock, Run
from argosy.guest import authority, signing, unpacking
from argosy.testing.waiting import eventually

BUILTIN = {"enable": True, "container_ref": "builtin"}
DAY = timedelta(days=1)


class Brought:
    """A private authority and a certificate of it, as a user would bring them."""

    def __init__(self, **told: Any) -> None:
        self.root_key, self.key = signing.new_key(), told.get("key") or signing.new_key()
        self.root = signing.authority(self.root_key, "Theirs")
        now = datetime.fromtimestamp(clock.now(), UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "db.example.com")]))
            .issuer_name(self.root.subject)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(told.get("since", now - DAY))
            .not_valid_after(told.get("until", now + 90 * DAY))
        )
        if told.get("named", True):
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("db.example.com")]), False)
        if "use" in told:
            builder = builder.add_extension(x509.ExtendedKeyUsage([told["use"]]), False)
        self.certificate = builder.sign(self.root_key, hashes.SHA256())

    @property
    def pem(self) -> dict[str, str]:
        return {
            "certificate": signing.pem(self.certificate),
            "private_key": signing.private_pem(self.key),
            "authority": signing.pem(self.root),
        }

    def pkcs12(self, password: str) -> str:
        how = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        container = pkcs12.serialize_key_and_certificates(b"db", self.key, self.certificate, [self.root], how)
        return base64.b64encode(container).decode()


def under_way(database: Database) -> Run | None:
    with database.read() as session:
        return session.query(Run).filter_by(workflow="change_tls", state="active").one_or_none()


def end(database: Database, bell: Bell, *, fault: str = "", task: str = "NONE") -> dict[str, Any]:
    """End the change as the task manager would; what was asked for."""
    run = eventually(lambda: under_way(database))
    with database.write() as session:
        row = session.get_one(Run, run.id)
        row.state, row.fault = "failed" if fault else "done", fault
        instance = session.get_one(Instance, run.subject)
        instance.tls_mode, instance.task = run.memory["had" if fault else "wanted"]["mode"], task
        session.query(Lock).delete()
    bell.ring()
    return dict(run.memory)


Change = Callable[..., tuple[falcon.testing.Result, dict[str, Any]]]


@pytest.fixture
def change(member: As, database: Database, bell: Bell) -> Change:
    """Ask for a change, and let it end: the answer, and what the operation was given."""

    def change(instance_id: str, body: Any, **how: Any) -> tuple[falcon.testing.Result, dict[str, Any]]:
        with ThreadPoolExecutor(1) as pool:
            answer: Future[falcon.testing.Result] = pool.submit(
                member, "POST", f"/instances/{instance_id}/ssl", {"ssl": body}
            )
            memory = end(database, bell, **how)
            return answer.result(), memory

    return change


def test_a_new_instance_shows_nothing_before_it_has_a_certificate(create: Create, member: As) -> None:
    assert member.get(f"/instances/{create()['id']}/ssl") == {"ssl": {"status": "on", "mode": "enforced"}}


def test_the_certificate_is_shown(ready: Ready, member: As, database: Database) -> None:
    instance_id, brought = ready(), Brought()
    with database.write() as session:
        row = Certificate(instance_id=instance_id, shown=brought.pem["certificate"], authority="", updated=0.0)
        session.add(row)
    told = member.get(f"/instances/{instance_id}/ssl")["ssl"]["certificate"]
    until = clock.timestamp(brought.certificate.not_valid_after_utc.timestamp())
    assert told == {
        "cn": "db.example.com",
        "expire_at": until,
        "san": ["db.example.com"],
        "brought": False,
        "unnamed": ["127.9.0.1"],
    }
    for word in ("true", "True"):
        whole = member.get(f"/instances/{instance_id}/ssl", params={"include_certificate": word})
        assert whole["ssl"]["certificate"]["payload"] == brought.pem["certificate"]


def test_enable_and_its_default_mode(ready: Ready, change: Change) -> None:
    answer, memory = change(ready(), BUILTIN)
    assert answer.json["ssl"] == {"restart_required": False, "status": "on", "mode": "basic"}
    assert memory["wanted"] == {"mode": "basic", "brought": None}


def test_disable_may_need_a_restart(ready: Ready, change: Change) -> None:
    answer, _memory = change(ready(), {"disable": True}, task="RESTART_REQUIRED")
    assert answer.json == {"ssl": {"restart_required": True, "status": "off"}}


def test_what_went_wrong_in_the_guest_is_told(ready: Ready, change: Change) -> None:
    answer, _memory = change(ready(), BUILTIN, fault="the server said no")
    assert answer.json == {"badRequest": {"code": 400, "message": "the server said no"}}


@pytest.mark.parametrize("password", ["", "secret"])
def test_a_pkcs12_container(ready: Ready, change: Change, password: str, database: Database) -> None:
    brought, instance_id = Brought(), ready()
    body = {"enable": True, "mode": "mtls", "pkcs12": brought.pkcs12(password), "password": password}
    answer, memory = change(instance_id, body)
    assert answer.status_code == 200
    assert memory["wanted"] == {"mode": "mtls", "brought": brought.pem}
    with database.read() as session:
        kept = session.execute(text("SELECT memory FROM runs")).scalars().all()
    assert not any(b"PRIVATE KEY" in bytes(each) for each in kept)


def test_pem(ready: Ready, change: Change) -> None:
    brought = Brought()
    _answer, memory = change(ready(), {"enable": True, **brought.pem})
    assert memory["wanted"] == {"mode": "basic", "brought": brought.pem}


def other_key() -> dict[str, str]:
    return {**Brought().pem, "private_key": signing.private_pem(signing.new_key())}


def other_authority() -> dict[str, str]:
    return {**Brought().pem, "authority": Brought().pem["authority"]}


def small_key() -> dict[str, str]:
    return Brought(key=rsa.generate_private_key(65537, 1024)).pem  # noqa: S505 - that is what is refused


def broken_chain() -> dict[str, str]:
    pem = Brought().pem
    return {**pem, "certificate": pem["certificate"] + Brought().pem["authority"]}


def huge_key() -> dict[str, str]:
    """Of two primes that everybody knows: to prove them prime takes the library ten seconds."""
    p, q, e = 2**4253 - 1, 2**4423 - 1, 65537
    d, public = pow(e, -1, (p - 1) * (q - 1)), rsa.RSAPublicNumbers(e, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public)
    return {
        **Brought().pem,
        "private_key": signing.private_pem(numbers.private_key(unsafe_skip_rsa_key_validation=True)),
    }


def moment(days: int) -> datetime:
    return datetime.fromtimestamp(clock.now(), UTC) + days * DAY


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (other_key, "does not belong"),
        (other_authority, "not signed by the authority"),
        (broken_chain, "chain is broken"),
        (small_key, "2048 bits"),
        (lambda: Brought(since=moment(-9), until=moment(-1)).pem, "has expired"),
        (lambda: Brought(since=moment(2)).pem, "not good before"),
        (lambda: Brought(named=False).pem, "subjectAltName"),
        (lambda: Brought(use=ExtendedKeyUsageOID.CLIENT_AUTH).pem, "serverAuth"),
        (lambda: {**Brought().pem, "certificate": "nothing"}, "certificate must be"),
        (lambda: {**Brought().pem, "private_key": "nothing"}, "private_key must be"),
        (lambda: {"certificate": 5}, "must be a string"),
        (lambda: {"pkcs12": "bm90aGluZw=="}, "pkcs12 cannot be read"),
        (lambda: {"pkcs12": Brought().pkcs12("right"), "password": "wrong"}, "password"),
    ],
)
def test_what_is_brought_is_judged_before_the_answer(
    ready: Ready, member: As, database: Database, body: Callable[[], dict[str, Any]], words: str
) -> None:
    asked = {"ssl": {"enable": True, **body()}}
    status, key, message = member.refused("POST", f"/instances/{ready()}/ssl", asked)
    assert (status, key) == (400, "badRequest")
    assert words in message
    assert under_way(database) is None


def test_what_takes_for_ever_to_read_holds_up_nobody_else(
    ready: Ready, member: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "SECONDS", 0.5)
    path, asked = f"/instances/{ready()}/ssl", {"ssl": {"enable": True, **huge_key()}}
    with ThreadPoolExecutor(1) as pool:
        refusal = pool.submit(member.refused, "POST", path, asked)
        others = 0
        while not refusal.done():
            member.get(path)
            others += 1
    assert "within 0.5 s" in refusal.result()[2]
    assert others > 5


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enable": True},
        {"enable": True, "disable": True},
        {"enable": False},
        {**BUILTIN, "mode": "off"},
        {**BUILTIN, "mode": "unheard-of"},
        {"rollback": True},
        {"enable": "maybe"},
    ],
    ids=str,
)
def test_a_bad_request(ready: Ready, member: As, body: dict[str, Any]) -> None:
    assert member.refused("POST", f"/instances/{ready()}/ssl", {"ssl": body})[:2] == (400, "badRequest")


def test_barbican_needs_a_cloud(ready: Ready, member: As) -> None:
    body = {"ssl": {"enable": True, "mode": "basic", "container_ref": "https://barbican/v1/containers/x"}}
    status, key, message = member.refused("POST", f"/instances/{ready()}/ssl", body)
    assert (status, key) == (501, "notImplemented")
    assert "Barbican" in message


def test_the_way_back(ready: Ready, change: Change, database: Database) -> None:
    instance_id, brought = ready(), Brought().pem
    with database.write() as session:
        row = Certificate(instance_id=instance_id, shown="", authority="", updated=0.0, previous_mode="mtls")
        row.previous = brought
        session.add(row)
    _answer, memory = change(instance_id, {"rollback": True})
    assert memory["wanted"] == {"mode": "mtls", "brought": brought}


def test_current_keeps_what_is_shown(ready: Ready, change: Change, database: Database) -> None:
    instance_id, brought = ready(), Brought().pem
    with database.write() as session:
        row = Certificate(instance_id=instance_id, shown="", authority="", updated=0.0)
        row.brought = brought
        session.add(row)
    _answer, memory = change(instance_id, {"enable": True, "mode": "mtls", "container_ref": "current"})
    assert memory["wanted"] == {"mode": "mtls", "brought": brought}


def test_while_something_else_is_done(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Instance, instance_id).task = "RESIZING"
    assert member.refused("POST", f"/instances/{instance_id}/ssl", {"ssl": BUILTIN})[0] == 422


def test_while_the_server_is_down(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        session.get_one(Guest, instance_id).health = "down"
    assert member.refused("POST", f"/instances/{instance_id}/ssl", {"ssl": BUILTIN})[0] == 422


def test_another_projects_instance_is_not_found(ready: Ready, stranger: As) -> None:
    instance_id = ready()
    assert stranger.refused("GET", f"/instances/{instance_id}/ssl")[0] == 404
    assert stranger.refused("POST", f"/instances/{instance_id}/ssl", {"ssl": BUILTIN})[0] == 404
    assert stranger.refused("POST", f"/instances/{instance_id}/ssl/clients", {"client": {"name": "x"}})[0] == 404


def test_a_build_without_tls_speaks_none_and_says_so(ready: Ready, member: As, database: Database) -> None:
    with database.write() as session:
        session.get_one(DatastoreVersion, VERSIONS["7.0"]).capabilities = ["accounts"]
    instance_id = ready(datastore={"type": "redis"})
    (endpoint,) = member.get(f"/instances/{instance_id}")["instance"]["endpoints"]
    assert (endpoint["scheme"], endpoint["tls"]) == ("redis", "off")
    assert member.get(f"/instances/{instance_id}/ssl") == {"ssl": {"status": "off"}}
    assert member.refused("POST", f"/instances/{instance_id}/ssl", {"ssl": BUILTIN})[0] == 501


def test_redis_has_a_port_of_its_own_for_plain_connections(ready: Ready, member: As) -> None:
    instance_id = ready(datastore={"type": "redis"}, tls_mode="basic")
    tls, plain = member.get(f"/instances/{instance_id}")["instance"]["endpoints"]
    assert (tls["scheme"], tls["tls"]) == ("rediss", "basic")
    assert (plain["scheme"], plain["tls"], plain["port"]) == ("redis", "off", tls["port"] + 1)


def test_a_certificate_for_a_client(ready: Ready, member: As, database: Database) -> None:
    one, other = ready("one"), ready("other", "127.9.0.2")
    told = member("POST", f"/instances/{one}/ssl/clients", {"client": {"name": "app", "days": 7}}).json["client"]
    certificate = x509.load_pem_x509_certificate(told["certificate"].encode())
    member("POST", f"/instances/{other}/ssl/clients", {"client": {"name": "app"}})
    with database.read() as session:
        own, foreign = (session.get_one(Certificate, each).clients for each in (one, other))
    assert own is not None
    assert foreign is not None
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(own["certificate"].encode()))
    with pytest.raises(ValueError, match=r"(?i)issuer"):
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(foreign["certificate"].encode()))


def test_clients_of_a_brought_authority_are_its_own_business(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    with database.write() as session:
        row = Certificate(instance_id=instance_id, shown="", authority="", updated=0.0)
        row.brought = Brought().pem
        session.add(row)
    body = {"client": {"name": "app"}}
    assert member.refused("POST", f"/instances/{instance_id}/ssl/clients", body)[:2] == (400, "badRequest")


def test_only_administrators_rotate_the_authority(member: As, admin: As, settings: Any) -> None:
    authority.make(settings.keys)
    for method in ("GET", "POST"):
        assert member.refused(method, "/mgmt/authority", {})[0] == 401
    before = admin.get("/mgmt/authority")["authority"]
    assert (before["stage"], len(before["trusted"])) == ("settled", 1)
    assert "rotation" not in before
    begun = admin("POST", "/mgmt/authority", {"rotate": {"overlap_days": 0}})
    assert begun.status_code == 202
    assert begun.json["authority"]["rotation"]["state"] == "active"
    assert admin.refused("POST", "/mgmt/authority", {})[0] == 422
