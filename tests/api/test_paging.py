"""Pages: size, marker, links, order."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from calling import As
from seeding import VERSIONS
from sqlalchemy import event

from argosy.api.v1 import instance_rows
from argosy.db.session import Database
from argosy.db.tables import Instance


@pytest.fixture
def crowd(database: Database, member: As) -> list[str]:
    """Ids of 45 instances, ascending; the later the id, the older the instance."""
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(45)]
    with database.write() as session:
        for age, each in enumerate(ids):
            row = Instance(id=each, project_id=member.project, name=f"m{age}", version_id=VERSIONS["15"], flavor_id="1")
            row.ram, row.gigabytes, row.region, row.created, row.updated = 256, 1, "RegionOne", 1e9 - age, 1e9
            session.add(row)
    return ids


def walk(member: As, path: str, key: str = "links") -> list[list[str]]:
    """Ids of every page, following `next` to the letter."""
    pages = []
    while path:
        body = member.get(path)
        pages.append([each["id"] for each in body["instances"]])
        (link,) = body.get(key) or [{"rel": "next", "href": ""}]
        assert link["rel"] == "next"
        url = urlsplit(link["href"])
        path = f"{url.path.removeprefix(f'/v1.0/{member.project}')}?{url.query}" if link["href"] else ""
    return pages


@pytest.mark.parametrize("path", ["/instances", "/instances/detail"])
@pytest.mark.parametrize("key", ["links", "instances_links"])
def test_following_the_links_sees_each_once(crowd: list[str], member: As, path: str, key: str) -> None:
    pages = walk(member, path, key)
    assert [len(page) for page in pages] == [20, 20, 5]
    assert sorted(each for page in pages for each in page) == crowd


def test_pages_go_by_id_and_are_newest_first_inside(crowd: list[str], member: As) -> None:
    pages = walk(member, "/instances?limit=10")
    assert [sorted(page) for page in pages] == [crowd[start : start + 10] for start in range(0, 45, 10)]
    assert pages[0] == crowd[:10]


@pytest.mark.parametrize(("query", "size"), [("limit=3", 3), ("limit=0", 20), ("limit=1000", 20), ("limit=", 20)])
def test_the_size_of_a_page(crowd: list[str], member: As, query: str, size: int) -> None:
    assert sorted(each["id"] for each in member.get(f"/instances?{query}")["instances"]) == crowd[:size]


def test_the_last_page_has_no_links(crowd: list[str], member: As) -> None:
    assert set(member.get(f"/instances?marker={crowd[-3]}")) == {"instances"}


def test_an_exactly_full_last_page_has_no_links(crowd: list[str], member: As) -> None:
    assert set(member.get(f"/instances?limit=5&marker={crowd[39]}")) == {"instances"}


def test_other_parameters_are_kept(crowd: list[str], member: As) -> None:
    (link,) = member.get("/instances?include_clustered=False&limit=2")["links"]
    assert link["href"].endswith(f"/v1.0/blue/instances?include_clustered=False&limit=2&marker={crowd[1]}")


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=-1", "limit=1.5", "limit=%C2%B2", "marker=%00", f"marker={'x' * 256}"]
)
def test_nonsense_is_refused(member: As, query: str) -> None:
    assert member.refused("GET", f"/instances?{query}")[:2] == (400, "badRequest")


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("path", ["/instances", "/instances/detail"])
def test_a_page_takes_as_many_statements_whatever_its_size(member: As, database: Database, path: str) -> None:
    def statements(query: str) -> int:
        seen: list[str] = []
        listener = lambda _c, _cursor, statement, *_: seen.append(statement)  # noqa: E731 - removed again by identity
        event.listen(database.engine, "before_cursor_execute", listener)
        assert member.get(f"{path}?{query}")["instances"]
        event.remove(database.engine, "before_cursor_execute", listener)
        return sum(each.startswith("SELECT") for each in seen)

    assert statements("limit=1") == statements("limit=20") <= 7


def test_the_page_walks_the_index(crowd: list[str], database: Database) -> None:
    """SQLite tells its plan in words: no sorting, no scan."""
    if database.dialect != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    compiled = str(instance_rows.PAGE.compile(database.engine, compile_kwargs={"render_postcompile": True}))
    with database.engine.connect() as connection:
        values = ("blue", crowd[3], 21, 0)[: compiled.count("?")]
        (step,) = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]
    assert "SEARCH instances USING INDEX instances_page" in step
