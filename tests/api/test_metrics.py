"""Numbers for Prometheus."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import falcon.testing
import pytest
from calling import As, Create, Ready
from judging import Client

from argosy import clock
from argosy import settings as options
from argosy.api import main
from argosy.db.session import Database
from argosy.db.tables import Guest
from argosy.engines import registry
from argosy.identity.local.identity import LocalIdentity
from argosy.model import metrics
from argosy.settings import Settings


def values(text: str, name: str) -> dict[str, float]:
    """Of one metric, by its labels."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith(f"{name}{{"))
    return {labels.removeprefix(name): float(value) for labels, _, value in lines}


def names(text: str) -> set[str]:
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


def deployment(client: falcon.testing.TestClient, **more: object) -> falcon.testing.Result:
    return client.simulate_get("/metrics", **more)


def test_of_the_deployment(client: falcon.testing.TestClient, ready: Ready, create: Create) -> None:
    ready("a")
    create("b")
    answer = deployment(client)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == metrics.MEDIA_TYPE
    assert values(answer.text, "argosy_guests") == {'{health="healthy"}': 1}
    runs = values(answer.text, "argosy_runs")
    assert runs['{workflow="create_instance",state="done"}'] == 1
    assert runs['{workflow="create_instance",state="active"}'] == 1
    assert values(answer.text, "argosy_runs_due") == {"{}": 1}
    assert values(answer.text, "argosy_quota_used")['{project="blue",resource="instances"}'] == 2
    assert values(answer.text, "argosy_events_total") == {"{}": 2}
    assert next(iter(values(answer.text, "argosy_database_bytes").values())) > 10_000
    posted = '{method="POST",route="/v1.0/{project}/instances",status="200"}'
    assert values(answer.text, "argosy_api_request_duration_seconds_count")[posted] == 2
    everything = f'{posted[:-1]},le="+Inf"}}'
    assert values(answer.text, "argosy_api_request_duration_seconds_bucket")[everything] == 2
    assert names(answer.text) <= set(metrics.CATALOGUE)


def test_only_this_machine_may_read_them(client: falcon.testing.TestClient) -> None:
    assert deployment(client, remote_addr="::1").status_code == 200
    assert deployment(client, remote_addr="192.0.2.7").status_code == 403


@pytest.mark.parametrize("proxy", [{"trusted_proxy": "127.0.0.1"}, {"public_endpoint": "https://db.example"}])
def test_nobody_where_everybody_comes_from_a_proxy(settings: Settings, database: Database, proxy: object) -> None:
    behind = dataclasses.replace(settings, api=options.Api(**proxy))  # type: ignore[arg-type]
    assert deployment(served(behind, database)).status_code == 403


def test_who_has_the_token_may_read_them_from_anywhere(settings: Settings, database: Database) -> None:
    client = served(dataclasses.replace(settings, metrics=options.Metrics("s3cret")), database)
    shown = {"Authorization": "Bearer s3cret"}
    assert deployment(client, remote_addr="192.0.2.7", headers=shown).status_code == 200
    assert deployment(client, remote_addr="192.0.2.7", headers={"Authorization": "Bearer x"}).status_code == 401
    assert deployment(client).status_code == 401


def served(settings: Settings, database: Database) -> falcon.testing.TestClient:
    return Client(main.make_app(settings, database, LocalIdentity(database)))


def test_of_a_project(ready: Ready, member: As, stranger: As, database: Database) -> None:
    instance_id = ready('m"1\\')
    report(database, instance_id, {"connections": 3, "commits": 7, "unheard_of": 1})
    text = member("GET", "/metrics").text
    labels = f'instance_id="{instance_id}",instance_name="m\\"1\\\\",datastore="postgresql",datastore_version="15"'
    assert values(text, "argosy_instance_up") == {f"{{{labels}}}": 1}
    assert values(text, "argosy_instance_connections") == {f"{{{labels}}}": 3}
    assert values(text, "argosy_instance_commits_total") == {f"{{{labels}}}": 7}
    assert "unheard" not in text
    assert stranger("GET", "/metrics").text == ""
    assert names(text) <= set(metrics.CATALOGUE)


def test_the_token_is_as_good_as_a_bearers(ready: Ready, member: As, client: falcon.testing.TestClient) -> None:
    ready()
    answer = client.simulate_get("/v1.0/blue/metrics", headers={"Authorization": f"Bearer {member.token}"})
    assert len(values(answer.text, "argosy_instance_up")) == 1
    assert client.simulate_get("/v1.0/blue/metrics", headers={"Authorization": "Bearer x"}).status_code == 401


def test_of_one_instance(ready: Ready, member: As, stranger: As) -> None:
    first, _second = ready("a"), ready("b", "127.9.0.2")
    answer = member("GET", f"/instances/{first}/metrics")
    assert len(values(answer.text, "argosy_instance_up")) == 1
    assert stranger.refused("GET", f"/instances/{first}/metrics")[:2] == (404, "itemNotFound")


def test_a_silent_guest_is_not_up_and_tells_nothing_old(ready: Ready, member: As, database: Database) -> None:
    instance_id = ready()
    report(database, instance_id, {"connections": 3}, clock.now() - 1000)
    text = member("GET", "/metrics").text
    assert list(values(text, "argosy_instance_up").values()) == [0]
    assert names(text) == {"argosy_instance_up", "argosy_instance_heartbeat_age_seconds"}


def report(database: Database, guest: str, told: dict[str, float], at: float | None = None) -> None:
    with database.write() as session:
        row = session.get_one(Guest, guest)
        row.metrics, row.seen_at = told, at or clock.now()


def test_names_follow_the_conventions() -> None:
    for name, metric in metrics.CATALOGUE.items():
        assert name.startswith("argosy_")
        assert name == metric.name
        assert (metric.form is metrics.Form.COUNTER) == name.endswith("_total")
        assert metric.meaning.endswith(".")


def drivers() -> Iterable[tuple[str, Iterable[str]]]:
    for engine in registry.engines().values():
        told = __import__(engine.load_driver().__module__, fromlist=["METRICS"]).METRICS
        yield engine.name, told.values() if hasattr(told, "values") else told


@pytest.mark.parametrize(("engine", "told"), list(drivers()))
def test_all_that_drivers_measure_is_in_the_catalogue(engine: str, told: Iterable[str]) -> None:
    assert set(told) <= set(metrics.REPORTED), engine
