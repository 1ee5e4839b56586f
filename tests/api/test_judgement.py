"""The document promises nothing that no test has seen. Judged at the end of a session that ran all of these tests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from judging import JUDGE, OPERATIONS, named, promises

HEALTH = "the control database is away, for which test_manners.py has an application of its own"
ALIKE = "decided by the one function that other calls of the same resource are refused by, which are seen"
GUEST = "a guest that is silent or a full house, told by the same call as elsewhere; seen with other calls"
UNTRIED = "no test has tried it yet"
UNSEEN_STATUSES: Mapping[str, str] = {
    "GET /healthcheck 503": HEALTH,
    "HEAD /healthcheck 503": HEALTH,
    "DELETE /instances/{id}/databases/{name} 501": ALIKE,
    "DELETE /instances/{id}/modules/{name} 422": ALIKE,
    "DELETE /instances/{id}/root 422": ALIKE,
    "DELETE /instances/{id}/root 501": ALIKE,
    "DELETE /instances/{id}/users/{name} 422": ALIKE,
    "DELETE /instances/{id}/users/{name} 501": ALIKE,
    "DELETE /instances/{id}/users/{name}/databases/{database} 422": ALIKE,
    "GET /instances/{id}/users 501": ALIKE,
    "GET /instances/{id}/users/{name} 422": ALIKE,
    "GET /instances/{id}/users/{name} 501": ALIKE,
    "GET /instances/{id}/users/{name}/databases 422": ALIKE,
    "POST /instances/{id}/databases 422": ALIKE,
    "POST /instances/{id}/modules 422": ALIKE,
    "POST /instances/{id}/root 501": ALIKE,
    "POST /instances/{id}/ssl/clients 501": ALIKE,
    "POST /instances/{id}/users 422": ALIKE,
    "POST /instances/{id}/users/{name} 422": ALIKE,
    "POST /instances/{id}/users/{name} 501": ALIKE,
    "PUT /instances/{id}/users 422": ALIKE,
    "PUT /instances/{id}/users 501": ALIKE,
    "PUT /instances/{id}/users/{name} 422": ALIKE,
    "PUT /instances/{id}/users/{name} 501": ALIKE,
    "PUT /instances/{id}/users/{name}/databases 422": ALIKE,
    "PUT /modules/{id}/instances 422": ALIKE,
    "GET /instances/{id}/log 503": GUEST,
    "GET /instances/{id}/modules 503": GUEST,
    "GET /mgmt/instances/{id}/diagnostics 400": GUEST,
    "GET /mgmt/instances/{id}/hwinfo 400": GUEST,
    "GET /mgmt/instances/{id}/rpc_ping 400": GUEST,
    "POST /instances/{id}/databases 503": GUEST,
    "POST /instances/{id}/log 503": GUEST,
    "POST /instances/{id}/ssl 503": GUEST,
    "POST /instances/{id}/users 503": GUEST,
    "POST /instances/{id}/users/{name} 503": GUEST,
    "PUT /instances/{id}/users 503": GUEST,
    "PUT /instances/{id}/users/{name} 503": GUEST,
    "PUT /instances/{id}/users/{name}/databases 503": GUEST,
    "DELETE /instances/{id}/modules/{name} 400": UNTRIED,
    "DELETE /instances/{id}/root 400": UNTRIED,
    "DELETE /instances/{id}/users/{name}/databases/{database} 400": UNTRIED,
    "GET /configurations/{id}/instances 400": UNTRIED,
    "GET /datastores/{datastore}/versions/{version}/parameters/{name} 400": UNTRIED,
    "GET /instances/{id}/databases 400": UNTRIED,
    "GET /instances/{id}/modules 400": UNTRIED,
    "GET /instances/{id}/users 400": UNTRIED,
    "GET /instances/{id}/users/{name} 400": UNTRIED,
    "GET /instances/{id}/users/{name}/databases 400": UNTRIED,
    "GET /mgmt/datastores/versions/{version}/parameters 400": UNTRIED,
    "GET /mgmt/datastores/versions/{version}/parameters/{name} 400": UNTRIED,
    "GET /mgmt/instances/{id} 400": UNTRIED,
    "GET /modules 404": UNTRIED,
    "GET /modules/{id}/instances 400": UNTRIED,
    "POST /mgmt/instances/{id}/upgrade 422": UNTRIED,
}
"""Operation and status, and why no test sees it."""
PAGES = "a second page of these is not made; every list is paged by the same function"
UNSEEN_KEYS: Mapping[str, str] = {
    "Authority.rotation.message": UNTRIED,
    "GET /configurations/{id}/instances 200.instances_links": PAGES,
    "GET /configurations/{id}/instances 200.links": PAGES,
    "GET /modules 200.links": PAGES,
    "GET /modules 200.modules_links": PAGES,
    "GET /modules/{id}/instances 200.instances_links": PAGES,
    "GET /modules/{id}/instances 200.links": PAGES,
    "MgmtInstance.server.addresses": UNTRIED,
    "SslCertificate.authority": UNTRIED,
    "SslChanged.certificate": UNTRIED,
}
"""Place of a key, and why no test sees it."""
OPEN: Mapping[str, str] = {
    "GET /openapi 200": "OpenAPI's own schema says what it holds",
    "MgmtInstance": "all that Instance has, which is closed, and what is added to it",
    "MgmtInstanceWhole": "likewise",
    "MgmtInstanceWhole.volume.attachments[]": "in the words of the cloud that the volume is from",
    "RecoveryWindow.position": "where the newest restorable moment is, in the engine's words",
    "Drill.report": "what the engine looked at, in its own names",
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
