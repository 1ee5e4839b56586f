"""Commands against a whole deployment with a real engine, as a person or a script would use them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from argosy.testing.deployments import Deployment
from argosy.testing.servers import require


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    require("redis")
    with Deployment(level="root" if os.geteuid() == 0 else "user") as running:
        yield running


@pytest.fixture(scope="module")
def m1(deployment: Deployment) -> Any:
    made = deployment.cli("db", "create", "m1", "--engine", "redis", "-o", "json")
    return json.loads(made.stdout)


def test_create_waits_shows_the_steps_and_tells_the_password(deployment: Deployment, m1: Any) -> None:
    made = deployment.cli("db", "create", "m2", "--engine", "redis", "-o", "json")
    told = json.loads(made.stdout)
    assert (told["name"], told["status"]) == ("m2", "ACTIVE")
    assert deployment.cli("db", "password", "m2").stdout.strip() == told["password"] != m1["password"]
    assert [line.split()[1] for line in made.stderr.splitlines()] == ["done"] * len(made.stderr.splitlines())
    deployment.cli("db", "delete", "m2", "--yes")
    assert "m2" not in deployment.cli("db", "list").stdout


def test_no_wait_returns_at_once(deployment: Deployment) -> None:
    told = json.loads(deployment.cli("db", "create", "m3", "--engine", "redis", "--no-wait", "-o", "json").stdout)
    assert told["status"] == "BUILD"
    deployment.cli("db", "delete", told["id"], "--yes")


def test_names_and_ids_are_as_good(deployment: Deployment, m1: Any) -> None:
    by_name = yaml.safe_load(deployment.cli("db", "show", "m1", "-o", "yaml").stdout)
    by_id = json.loads(deployment.cli("db", "show", m1["id"], "-o", "json").stdout)
    assert by_name["id"] == by_id["id"] == m1["id"]


def test_the_shell_answers_over_verified_tls(deployment: Deployment, m1: Any) -> None:
    assert deployment.cli("db", "shell", m1["id"], "-c", "PING").stdout.strip() == "PONG"
    assert deployment.cli("db", "shell", "m1", stdin="ECHO hello\n").stdout.strip() == "hello"


def test_the_url_opens_the_database_by_itself(deployment: Deployment, m1: Any) -> None:
    import redis

    url = deployment.cli("db", "url", m1["name"]).stdout.strip()
    with redis.Redis.from_url(url) as connection:
        assert connection.ping()
    assert m1["password"] not in deployment.cli("db", "url", "m1", "--no-password").stdout


def test_a_reset_password_is_the_one_that_counts(deployment: Deployment, m1: Any) -> None:
    fresh = deployment.cli("db", "password", "m1", "--reset").stdout.strip()
    assert fresh != m1["password"]
    assert deployment.cli("db", "shell", "m1", "-c", "PING").stdout.strip() == "PONG"


def test_restart_and_what_was_done(deployment: Deployment, m1: Any) -> None:
    deployment.cli("db", "restart", "m1")
    done = json.loads(deployment.cli("db", "operations", m1["id"], "-o", "json").stdout)
    assert [each["operation"] for each in done][0 :: len(done) - 1] == ["restart_instance", "create_instance"]
    assert "create_instance  done" in deployment.cli("db", "operations", "m1").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["db", "show", "nobody"], 3, "there is no instance nobody"),
        (["db", "show", "00000000-0000-4000-8000-000000000000"], 3, "cannot be found"),
        (["db", "create", "x", "--engine", "nothing"], 3, "nothing"),
        (["db", "create", "x", "--engine", "redis", "--size", "100000"], 4, "cannot exceed maximum of 1000 GB"),
        (["db", "create", "x"], 2, "--engine"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_exit_codes_and_what_is_said(deployment: Deployment, arguments: list[str], code: int, words: str) -> None:
    ended = deployment.cli(*arguments, check=False)
    assert (ended.returncode, words in ended.stderr) == (code, True), ended.stderr


def test_an_ambiguous_name_is_refused_with_the_ids(deployment: Deployment) -> None:
    client = deployment.client()
    made = [
        json.loads(deployment.cli("db", "create", "twin", "--engine", "redis", "-o", "json", "--no-wait").stdout)["id"]
        for _ in range(2)
    ]
    ended = deployment.cli("db", "show", "twin", check=False)
    assert ended.returncode == 4
    assert all(each in ended.stderr for each in made)
    deployment.cli("db", "delete", *made, "--yes")
    assert not {each["id"] for each in client.instances.list()} & set(made)


def test_a_second_tenant_is_made_once_and_sees_nothing_of_the_first(deployment: Deployment, m1: Any) -> None:
    first = deployment.cli("env", "--project", "second", "--user", "second").stdout
    assert deployment.cli("env", "--project", "second", "--user", "second").stdout == first
    script = f'{first}\npython=$1; "$python" -m argosy db list -o json; "$python" -m argosy db show {m1["id"]}'
    ended = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable], env=deployment.env(), capture_output=True, text=True, check=False
    )
    assert json.loads(ended.stdout) == []
    assert ended.returncode == 3


def test_nobody_but_an_administrator_makes_tenants(deployment: Deployment) -> None:
    demo = {**os.environ, **deployment.env("demo@demo")}
    ended = subprocess.run(
        [sys.executable, "-m", "argosy", "env", "--project", "third", "--user", "third"],
        env=demo,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 4
    assert "not authorized" in ended.stderr


def test_another_size_a_stop_and_a_new_server(deployment: Deployment, m1: Any) -> None:
    deployment.cli("db", "resize", "m1", "--flavor", "2")
    deployment.cli("db", "resize", "m1", "--size", "2")
    told = json.loads(deployment.cli("db", "show", m1["id"], "-o", "json").stdout)
    assert (told["flavor"]["id"], told["volume"]["size"]) == ("2", 2)
    assert deployment.cli("db", "resize", "m1", check=False).returncode == 2
    ended = deployment.cli("db", "resize", "m1", "--size", "1", check=False)
    assert (ended.returncode, "can only become larger" in ended.stderr) == (4, True)
    assert deployment.cli("db", "stop", "m1").stdout == "m1 is stopped\n"
    assert "SHUTDOWN" in deployment.cli("db", "list").stdout
    assert deployment.cli("db", "start", "m1").stdout == "m1 has been started\n"
    assert deployment.cli("db", "rebuild", "m1").stdout == "m1 has been rebuilt\n"
    assert deployment.cli("db", "shell", "m1", "-c", "PING").stdout.strip() == "PONG"


def test_what_there_is_to_choose_from(deployment: Deployment) -> None:
    flavors = json.loads(deployment.cli("flavor", "list", "-o", "json").stdout)
    assert {"1", "6.1"} <= {each["str_id"] for each in flavors}
    assert "redis" in deployment.cli("datastore", "list").stdout
    assert "7." in deployment.cli("datastore", "show", "redis").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_command(deployment: Deployment, shell: str) -> None:
    assert "_ARGOSY_COMPLETE" in deployment.cli("completion", shell).stdout


def test_without_argosy_the_answer_is_not_available(deployment: Deployment, m1: Any) -> None:
    """Last, as it stops what the others use; the database goes on running and is adopted again."""
    url = deployment.cli("db", "url", "m1").stdout.strip()
    deployment.down()
    ended = deployment.cli("db", "list", check=False)
    assert (ended.returncode, "does not answer" in ended.stderr) == (5, True)
    import redis

    with redis.Redis.from_url(url) as connection:
        assert connection.ping()
    deployment.up()
    assert json.loads(deployment.cli("db", "show", m1["id"], "-o", "json").stdout)["status"] == "ACTIVE"


def test_quotas_are_shown_and_set(deployment: Deployment, m1: Any) -> None:
    told = {each["resource"]: each for each in json.loads(deployment.cli("quota", "show", "-o", "json").stdout)}
    assert told["instances"]["in_use"] >= 1
    assert m1["volume"]["size"] <= told["volumes"]["in_use"]
    table = deployment.cli("quota", "set", "another", "--instances", "3", "--ram", "-1").stdout
    assert [line.split() for line in table.splitlines() if line.startswith(("instances", "ram"))] == [
        ["instances", "0", "3"],
        ["ram", "0", "unlimited", "MiB"],
    ]


def test_a_webhook_is_made_shown_and_deleted(deployment: Deployment) -> None:
    made = json.loads(
        deployment.cli(
            "webhook", "create", "https://example.net/hook", "--kind", "dbaas.instance_", "-o", "json"
        ).stdout
    )
    assert made["secret"]
    (listed,) = json.loads(deployment.cli("webhook", "list", "-o", "json").stdout)
    assert (listed["url"], listed["kinds"]) == ("https://example.net/hook", ["dbaas.instance_"])
    assert made["secret"] not in deployment.cli("webhook", "show", made["id"]).stdout
    deployment.cli("webhook", "delete", made["id"])
    assert json.loads(deployment.cli("webhook", "list", "-o", "json").stdout) == []


def test_modules_tags_and_settings_from_the_start(deployment: Deployment) -> None:
    deployment.cli("module", "create", "hello", "-", "--type", "ping", stdin="message=hi there")
    deployment.cli("config", "create", "small", "maxmemory-samples=7", "--engine", "redis")
    more = ("--module", "hello", "--configuration", "small", "--tag", "team=a=b", "--client-token", "once")
    command = ("db", "create", "m5", "--engine", "redis", *more, "-o", "json")
    made = json.loads(deployment.cli(*command).stdout)
    assert json.loads(deployment.cli(*command).stdout)["id"] == made["id"]
    (given,) = json.loads(deployment.cli("module", "list", "m5", "-o", "json").stdout)
    assert (given["status"], given["message"]) == ("OK", "hi there")
    assert made["configuration"]["name"] == "small"
    assert json.loads(deployment.cli("db", "tag", "m5", "-o", "json").stdout) == {"team": "a=b"}
    changed = deployment.cli("db", "tag", "m5", "cost=1", "--remove", "team", "-o", "json").stdout
    assert json.loads(changed) == {"cost": "1"}
    deployment.cli("module", "remove", "m5", "hello")
    assert "OK" in deployment.cli("module", "apply", "m5", "hello").stdout
    deployment.cli("db", "delete", "m5", "--yes")
    deployment.cli("module", "delete", "hello")
    assert deployment.cli("module", "delete", "hello", check=False).returncode == 3
