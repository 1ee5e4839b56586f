"""What was told in confidence can be read nowhere: files, control database, events, logs and command lines."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from owners import ENGINES, Owner

from argosy.client.accounts import Accounts
from argosy.client.configurations import Configurations
from argosy.client.logs import Logs
from argosy.client.modules import Modules
from argosy.client.resources import Document
from argosy.client.webhooks import Webhooks
from argosy.guest import authority
from argosy.testing import machines
from argosy.testing.deployments import Deployment

FIRST, SECOND, THIRD = "kept-Xq1-first", "kept-Xq2-second", "kept-Xq3-third"
LICENCE = "keptXq4licence"
EVERYTHING_LOGGED = {
    "postgresql": {"log_statement": "all", "log_min_duration_statement": 0},
    "mariadb": {"general_log": True, "long_query_time": 0},
    "redis": {"slowlog-log-slower-than": 0},
}
LARGEST = 64 << 20
"""Bytes of a file that is looked into: what is larger is the pool or a write-ahead log that was made in advance."""


@contextmanager
def watched(secrets: set[bytes]) -> Iterator[set[str]]:
    """Command lines and environments of every process, seen with one of the secrets in them meanwhile."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.002):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                    if any(secret in told for secret in secrets):
                        seen.add(told[:200].decode(errors="replace"))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def exercise(owner: Owner, instance: Document, engine: str) -> set[str]:
    """Everything that takes a secret, or gives one; the secrets."""
    session, accounts = owner.client.session, Accounts(owner.client.session, instance["id"])
    named = [] if engine == "redis" else ["one"]
    for name in named:
        accounts.create_database(name)
    accounts.create_user("ann", FIRST, databases=named)
    accounts.update_user("ann", password=SECOND)
    told = {FIRST, SECOND, THIRD, owner.client.instances.reset_password(instance["id"])}
    accounts.update_user("ann", name="eve", password=THIRD)
    modules = Modules(session)
    made = modules.create(f"licence-{engine}", "new_relic_license", f"license_key={LICENCE}".encode(), "")
    modules.apply(instance["id"], [made["id"]])
    hook = Webhooks(session).create("http://no-such-host.invalid/", [])
    issuer = authority.opened(authority.of_clients("ours"))
    brought = issuer.issue([each["address"] for each in instance["addresses"]], 9)
    owner.client.instances.change_tls(
        instance["id"], enable=True, mode="enforced", certificate=brought.certificate, private_key=brought.private_key
    )
    key = owner.client.instances.tls_client(instance["id"], "app", 1)["private_key"]
    return {*told, hook["secret"], key.splitlines()[1]}


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_told_in_confidence_is_nowhere(argosy: Deployment, owner: Owner, engine: str) -> None:
    instance = owner.ready(engine)
    session = owner.client.session
    group = Configurations(session).create(f"all-{engine}", engine, "", EVERYTHING_LOGGED[engine], "")
    Configurations(session).attach(instance["id"], group["id"])
    owner.ended(instance["id"])
    with watched({each.encode() for each in (FIRST, SECOND, THIRD, LICENCE)}) as seen:
        secrets = {owner.passwords[instance["id"]], *exercise(owner, instance, engine)}
        owner.client.instances.restart(instance["id"])
        owner.ended(instance["id"])
    assert seen == set()
    engines = Path(f"/proc/{machines.engine_of(instance['id'])}")
    places = [argosy.state, Path(f"{engines}/root{(engines / 'cwd').readlink()}")]
    assert holding(places, {each.encode() for each in secrets if each}) == []
    (licence,) = holding(places, {LICENCE.encode()})
    assert "newrelic-infra.yml" in licence  # that is what it is for
    logs = Logs(session, instance["id"])
    everything = "".join(text for log in logs.list() for text in logs.text(str(log["name"])))
    events = str(session.get("/events", limit=1000, all_projects="true"))
    operations = str(owner.client.instances.operations(instance["id"]))
    assert [each for each in secrets if each and each in everything + events + operations] == []


def holding(places: list[Path], secrets: set[bytes]) -> list[str]:
    """Files with one of the secrets in them. Some go while we look: servers run on."""
    found = []
    for path in (Path(at) / name for place in places for at, _inside, names in os.walk(place) for name in names):
        with suppress(OSError):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST:
                data = path.read_bytes()
                found += [f"{path}: {secret!r}" for secret in secrets if secret in data]
    return found
