"""What Swift's client says, as who must act."""

from __future__ import annotations

import pytest
from swiftclient.exceptions import ClientException

from argosy import errors
from argosy.stores.base import NoSuchObject, StoreFull, StoreRefused, StoreUnreachable
from argosy.stores.swift_requests import translated


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClientException("", http_status=503), StoreUnreachable),
        (ClientException("", http_status=401), StoreRefused),
        (ClientException("", http_status=404), NoSuchObject),
        (ClientException("", http_status=412), errors.Conflict),
        (ClientException("", http_status=507), StoreFull),
    ],
    ids=["busy", "refused", "absent", "there", "full"],
)
def test_an_answer_tells_who_must_act(error: ClientException, kind: type[Exception]) -> None:
    with pytest.raises(kind), translated("a"):
        raise error
