"""What each GET that asks a guest costs on real servers, and when the guest's agent is silent (SIGSTOP).

Processor time is the API's; conductor and agent work besides. The rest of the routes is in gets.py.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import serving
import urllib3
from create import until_done
from paths import filled
from serving import Caller, Reply, Served

from argosy.client.credentials import Login
from argosy.client.resources import Request
from argosy.testing import machines
from argosy.testing.deployments import Deployment
from argosy.testing.waiting import eventually

P = "/v1.0/{project}"
INSTANCE = f"{P}/instances/{{id}}"
ASKED = (
    f"{INSTANCE}/log",
    f"{INSTANCE}/log/{{name}}",
    f"{INSTANCE}/databases",
    f"{INSTANCE}/users",
    f"{INSTANCE}/users/{{name}}",
    f"{INSTANCE}/users/{{name}}/databases",
    f"{P}/mgmt/instances/{{id}}/diagnostics",
    f"{P}/mgmt/instances/{{id}}/hwinfo",
    f"{P}/mgmt/instances/{{id}}/rpc_ping",
)
ALSO = (f"{INSTANCE}/modules?from_guest=true",)
ENGINES = ("postgresql", "mariadb")
REQUESTS = 40
GOAL, PATIENCE = 60.0, 3.0
"""milliseconds at the median; seconds that a silent guest may cost"""


@dataclass(frozen=True)
class Side:
    """One instance to ask, and who asks."""

    caller: Caller
    nouns: Mapping[str, str]

    def ask(self, path: str) -> Reply:
        return self.caller.get(filled(path, self.nouns))

    def answered(self, path: str) -> Reply:
        reply = self.ask(path)
        assert reply.status in (200, 204), (path, reply.status, reply.body[:300])
        return reply


def main() -> None:
    with Deployment(level="root") as argosy:
        sides = {engine: side(argosy, engine) for engine in ENGINES}
        heads = " | ".join(f"{engine}: p50, ms | p99, ms | CPU, ms" for engine in ENGINES)
        print(f"| GET | {heads} | silent agent, s | and the answer |\n{'|---' * (3 * len(ENGINES) + 3)}|")
        measured = {path: row(path, sides) for path in (*ASKED, *ALSO)}
        with silenced(sides["postgresql"].nouns["instances"]):
            slow = [tell(path, cells, sides["postgresql"]) for path, cells in measured.items()]
    print(
        f"\n{len(slow)} questions; over {GOAL:g} ms at the median, or over {PATIENCE + 0.5:g} s: {sum(slow) or 'none'}"
    )


def side(argosy: Deployment, engine: str) -> Side:
    """A new instance with a database and a user; it says that it is healthy."""
    client = argosy.client()
    made = client.instances.create(Request("asked", engine, "2", 1, database="d1", user="u1", password="Secret-123-u"))
    until_done(client, made["id"])
    eventually(lambda: client.instances.get(made["id"])["operating_status"] == "HEALTHY")
    project = client.session.endpoint.rpartition("/")[2]
    nouns = {"v1.0": project, "instances": made["id"], "log": "slow_query", "databases": "d1", "users": "u1"}
    served = Served(argosy.settings.api.port, argosy.pids["api"])
    return Side(Caller(served, token(argosy.login())), nouns)


def token(login: Login) -> str:
    domain = {"name": login.domain}
    user = {"name": login.username, "password": login.password, "domain": domain}
    scope = {"project": {"name": login.project, "domain": domain}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    base = login.auth_url.rstrip("/").removesuffix("/v3")
    return str(urllib3.request("POST", f"{base}/v3/auth/tokens", json=body).headers["X-Subject-Token"])


def row(path: str, sides: Mapping[str, Side]) -> list[serving.Cost]:
    """One engine after the other: one process answers for both."""
    measured = (serving.measure([partial(each.answered, path)], [each.caller], REQUESTS) for each in sides.values())
    return [each for costs in measured for each in costs]


@contextmanager
def silenced(instance: str) -> Iterator[None]:
    agent = machines.agent_of(instance)
    os.kill(agent, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(agent, signal.SIGCONT)


def tell(path: str, costs: list[serving.Cost], silent: Side) -> bool:
    """Prints a row; whether anything of it took too long."""
    reply = silent.ask(path)
    cells = " | ".join(f"{each.p50:.1f} | {each.p99:.1f} | {each.cpu:.1f}" for each in costs)
    seconds = reply.milliseconds / 1000
    print(f"| `{path.removeprefix(P + '/')}` | {cells} | {seconds:.2f} | {reply.status} {said(reply)} |", flush=True)
    return max(each.p50 for each in costs) > GOAL or seconds > PATIENCE + 0.5


def said(reply: Reply) -> str:
    """The message of an error, or the status that a list of logs shows."""
    told = json.loads(reply.body)
    if reply.status == 200:
        return f"`{json.dumps(told)[:70]}…`"
    (fault,) = told.values()
    return str(fault["message"])


if __name__ == "__main__":
    main()
