"""What each GET costs beside 100 and beside 10,000 instances, backups and, a tenth of it, configurations.

The routes are those of the API's own table, so none can be forgotten; those that ask a guest are in asking.py. Two APIs
as `argosy up` runs them, a hundred instances in the one's database and ten thousand in the other's, are asked in turns
over one kept connection each. The ratio is that of processor time: what is not asked for must cost nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import seeds
import serving
from asking import ASKED
from paths import filled
from seeds import Seeded
from serving import Caller, Cost, Reply

from argosy.api.routes import ROUTES
from argosy.db.session import Database
from argosy.db.tables import Table

SIZES = (100, 10_000)
REQUESTS = 100
GOAL = 20.0
"""milliseconds at the median"""
LISTS: Mapping[str, tuple[str, ...]] = {
    "instances": ("", "limit=20&marker={instances}", "tag=stage:test"),
    "instances/detail": ("", "limit=100"),
    "backups": ("", "marker=5000", "datastore=postgresql", "instance_id={instances}"),
    "configurations": ("", "marker={configurations}"),
    "events": ("", "since=500", "instance={instances}", "kind=dbaas.instance_update", "limit=1000&format=jsonl"),
    "modules": ("", "datastore=postgresql"),
    "modules/{id}/instances": ("", "count_only=true"),
    "mgmt/instances": ("", "marker=5000", "deleted=false"),
    "instances/{id}/ssl": ("", "include_certificate=true"),
}
"""Queries with which routes below a project are asked besides."""
REFUSED = {"clusters/{id}": 404, "databases/{name}": 501}
"""What is always refused, for now or as Trove does it: the answer to routes with this in them."""
BESIDE = ("/v1.0/{project}/metrics",)
"""Told of everything that a project has: asked by one that has as much as the shipped quota allows."""


@dataclass(frozen=True)
class Ask:
    title: str
    path: str
    query: str
    who: str

    def url(self, seeded: Seeded) -> str:
        nouns = {**seeded.nouns, "v1.0": seeds.BESIDE} if self.who == "beside" else seeded.nouns
        query = self.query.format(**nouns)
        return filled(self.path, nouns) + (f"?{query}" if query else "")


def asks() -> Iterator[Ask]:
    """Every GET of the table that no guest is asked for."""
    for path in (route.path for route in ROUTES if route.method == "GET" and route.path not in ASKED):
        name = path.removeprefix("/v1.0/{project}/")
        who = "admin" if "/mgmt/" in path else "beside" if path in BESIDE else "member"
        for query in LISTS.get(name, ("",)):
            yield Ask(f"{path}?{query}".rstrip("?").replace("/v1.0/{project}/", ""), path, query, who)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--sizes", type=int, nargs=2, default=SIZES)
    parser.add_argument("--only", default="", help="a part of the paths to ask")
    options = parser.parse_args()
    few, many = options.sizes
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(side(size)) for size in (few, many)]
        print(
            f"| GET | bytes | p50, ms | p99, ms | CPU, ms | CPU at {many:,} : at {few:,} |\n|---|---|---|---|---|---|"
        )
        told = [(ask, row(ask, sides, options.requests)) for ask in asks() if options.only in ask.title]
    slow = [f"`{ask.title}` ({cost.p50:.1f} ms)" for ask, cost in told if cost.p50 > GOAL]
    print(f"\n{len(told)} questions, those over {GOAL:g} ms at the median: {', '.join(slow) or 'none'}")


@dataclass(frozen=True)
class Side:
    """One of the two APIs."""

    seeded: Seeded
    callers: Mapping[str, Caller]

    def ask(self, ask: Ask) -> Reply:
        reply = self.callers[ask.who].get(ask.url(self.seeded))
        expected = next((status for part, status in REFUSED.items() if part in ask.path), 200)
        assert reply.status == expected, (ask.url(self.seeded), reply.status, reply.body[:300])
        return reply


@contextlib.contextmanager
def side(size: int) -> Iterator[Side]:
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as directory:
        state = Path(directory)
        database = Database(f"sqlite:///{state}/control.db")
        Table.metadata.create_all(database.engine)
        with serving.served(state) as api:
            seeded = seeds.fill(database, state, size)
            yield Side(seeded, {who: Caller(api, token) for who, token in seeded.tokens.items()})
        database.engine.dispose()


def row(ask: Ask, sides: Sequence[Side], requests: int) -> Cost:
    """Prints it; what it costs beside the many."""
    calls = [functools.partial(side.ask, ask) for side in sides]
    few, many = serving.measure(calls, [side.callers[ask.who] for side in sides], requests)
    cells = f"{len(calls[1]().body)} | {many.p50:.2f} | {many.p99:.2f} | {many.cpu:.2f} | {many.cpu / few.cpu:.2f}"
    print(f"| `{ask.title}` | {cells} |", flush=True)
    return many


if __name__ == "__main__":
    main()
