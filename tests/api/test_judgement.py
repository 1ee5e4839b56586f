"""The document promises nothing that no test has seen. Judged at the end of a session that ran all of these tests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from judging import JUDGE, OPERATIONS, named, promises

UNSEEN_STATUSES: Mapping[str, str] = {}
"""Operation and status, and why no test sees it."""
UNSEEN_KEYS: Mapping[str, str] = {}
"""Place of a key, and why no test sees it."""
OPEN: Mapping[str, str] = {
    "GET /openapi 200": "OpenAPI's own schema says what it holds",
    "MgmtInstance": "all that Instance has, which is closed, and what is added to it",
    "Event.payload": "its keys are in the catalogue of events, by kind",
}
"""Objects of answers that may have any key, and why."""


def test_every_object_of_an_answer_tells_all_its_keys() -> None:
    """Otherwise a key that nobody documented would pass unseen."""
    for place, schema in promises():
        for where, each in named(schema, place):
            if each is not None:
                others = each.get("additionalProperties", each.get("unevaluatedProperties", True))
                assert others is not True or where in OPEN, f"{where} may hold anything: say additionalProperties"


@pytest.mark.usefixtures("whole_session")
def test_every_status_of_the_document_was_seen() -> None:
    promised = {(str(each), status) for each in OPERATIONS if each.built for status, _ in each.answers()}
    missing = {" ".join(each) for each in promised - JUDGE.statuses}
    assert sorted(missing - set(UNSEEN_STATUSES)) == []
    assert sorted(set(UNSEEN_STATUSES) - missing) == [], "seen all the same: take them off the list"


@pytest.mark.usefixtures("whole_session")
def test_every_key_of_the_document_was_seen() -> None:
    promised = {where for place, schema in promises() for where, each in named(schema, place) if each is None}
    missing = promised - JUDGE.keys
    assert sorted(missing - set(UNSEEN_KEYS)) == []
    assert sorted(set(UNSEEN_KEYS) - missing) == [], "seen all the same: take them off the list"
