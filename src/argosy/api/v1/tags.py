"""Tags: names and values of its owner's choice on an instance."""

from __future__ import annotations

from collections.abc import Mapping

from argosy import clock, errors
from argosy.api.exchange import Answer, Request
from argosy.api.fields import Fields
from argosy.api.v1 import instance_rows
from argosy.db import events, tags

MOST = 50
LONGEST_NAME, LONGEST_VALUE = 128, 255


def show(request: Request) -> Answer:
    with request.services.database.read() as session:
        return Answer(200, {"tags": instance_rows.one(session, request).tags})


def update(request: Request) -> Answer:
    """These and no others."""
    told = read(Fields(request.body or {}), needed=True)
    with request.services.database.write() as session:
        instance = instance_rows.one(session, request)
        tags.put(session, instance, told)
        instance.updated = clock.now()
        events.tell(session, "dbaas.instance_update", subject=instance.id, name=instance.name, tags=told)
    return Answer(200, {"tags": told})


def read(fields: Fields, *, needed: bool = False) -> Mapping[str, str]:
    """Raises BadRequest."""
    told = fields.object("tags", required=needed)
    if len(told.values) > MOST:
        raise fields.wrong("tags", f"must be {MOST} at most")
    for name in told.values:
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or ":" in name:
            raise fields.wrong("tags", f"names have 1 to {LONGEST_NAME} printable characters and no colon")
    return {name: _value(told, name) for name in told.values}


def wanted(request: Request) -> tuple[str, str] | None:
    """What the list is to be filtered by: `?tag=name:value`. Raises BadRequest."""
    if "tag" not in request.query:
        return None
    name, colon, value = request.query["tag"].partition(":")
    if not name or not colon or not request.query["tag"].isprintable():
        raise errors.BadRequest("tag must be name:value")
    return name[: LONGEST_NAME + 1], value[: LONGEST_VALUE + 1]


def _value(told: Fields, name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or not value.isprintable():
        raise told.wrong(name, f"must be a string of {LONGEST_VALUE} printable characters at most")
    return value
