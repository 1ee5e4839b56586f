"""Tags: set at create and later, shown, and filtered by."""

from __future__ import annotations

from typing import Any

import pytest
from calling import As, Create, order

TAGS = {"env": "prod", "team": "a:b", "empty": ""}


def names(answer: Any) -> set[str]:
    return {each["name"] for each in answer["instances"]}


def test_at_create_and_in_every_view(create: Create, member: As) -> None:
    made = create(tags=TAGS)
    assert made["tags"] == TAGS
    assert member.get(f"/instances/{made['id']}")["instance"]["tags"] == TAGS
    assert member.get("/instances")["instances"][0]["tags"] == TAGS
    assert member.get(f"/instances/{made['id']}/tags") == {"tags": TAGS}


def test_without_tags_there_is_no_key(create: Create) -> None:
    assert "tags" not in create()


def test_these_and_no_others(create: Create, member: As, stranger: As) -> None:
    instance = create(tags=TAGS)["id"]
    assert member("PUT", f"/instances/{instance}/tags", {"tags": {"env": "test"}}).json == {"tags": {"env": "test"}}
    assert member.get(f"/instances/{instance}/tags") == {"tags": {"env": "test"}}
    assert names(member.get("/instances?tag=env:prod")) == set()
    assert names(member.get("/instances?tag=env:test")) == {"m1"}
    assert stranger.refused("PUT", f"/instances/{instance}/tags", {"tags": {}})[:2] == (404, "itemNotFound")
    (event,) = member.get("/events?kind=dbaas.instance_update")["events"]
    assert event["payload"]["tags"] == {"env": "test"}


def test_a_list_is_filtered_page_by_page(create: Create, member: As, stranger: As) -> None:
    for number in range(5):
        create(f"m{number}", tags={"odd": str(number % 2), "all": "a:b"})
    assert names(member.get("/instances?tag=odd:1")) == {"m1", "m3"}
    assert names(member.get("/instances/detail?tag=all:a:b")) == {f"m{number}" for number in range(5)}
    first = member.get("/instances?tag=odd:0&limit=2")
    (link,) = first["links"]
    assert "tag=odd%3A0" in link["href"]
    rest = member.get(f"/instances?{link['href'].partition('?')[2]}")
    assert names(first) | names(rest) == {"m0", "m2", "m4"}
    assert "links" not in rest
    assert stranger.get("/instances?tag=odd:1") == {"instances": []}


@pytest.mark.parametrize("tags", [{"a:b": "c"}, {"": "c"}, {"a": 5}, {"a": "x" * 256}, {"a\n": "b"}, ["a"], "a"])
def test_what_is_no_tag(create: Create, member: As, tags: object) -> None:
    assert member.refused("POST", "/instances", order(tags=tags))[:2] == (400, "badRequest")
    assert member.refused("PUT", f"/instances/{create()['id']}/tags", {"tags": tags})[:2] == (400, "badRequest")


@pytest.mark.parametrize("tag", ["a", ":b"])
def test_what_is_no_filter(member: As, tag: str) -> None:
    assert member.refused("GET", f"/instances?tag={tag}")[:2] == (400, "badRequest")
