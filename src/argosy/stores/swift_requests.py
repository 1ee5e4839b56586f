"""Requests to Swift, and what its answers mean: who must act."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argosy import errors
from argosy.stores.base import NoSuchObject, StoreFull, StoreRefused, StoreUnreachable
from argosy.stores.pieces import FIRST_WAIT

SECONDS = 60
AGAIN = frozenset({408, 409, 422, 429, 498, 499})
"""also: written at the same moment (409), changed on its way (422)"""
FULL = frozenset({413, 507})


@dataclass(frozen=True)
class Place:
    """Where, and as whom."""

    auth_url: str
    """ends with /v3: Keystone; with /v1.0: TempAuth"""
    container: str
    prefix: str
    """before every key: empty, or ends with a slash"""
    region: str
    project: str
    domain: str
    """of user and project"""
    authorities: str
    """PEM file; empty: the system's"""
    user: str
    password: str = field(repr=False)


class Stream:
    """Its connection is used again if it was read to its end."""

    def __init__(self, body: Any, connection: Any, idle: queue.LifoQueue[tuple[int, Any]]) -> None:
        self._body, self._connection, self._idle = body, connection, idle
        self._ended = False

    def read(self, size: int, /) -> bytes:
        with translated(""):
            piece = bytes(self._body.read(size))
        self._ended = not piece
        return piece

    def close(self) -> None:
        self._body.close()
        if self._ended:
            self._idle.put((os.getpid(), self._connection))
        else:
            self._connection.close()


class Beyond(Exception):
    """the object ends before the range begins"""


def connected(place: Place) -> Any:
    from swiftclient.client import Connection

    told: dict[str, Any] = {
        "retries": 0,  # pieces are repeated here, where it is known whether that is harmless
        "starting_backoff": FIRST_WAIT,
        "timeout": SECONDS,
        "cacert": place.authorities or None,
        "os_options": {"region_name": place.region} if place.region else {},
    }
    if place.auth_url.rstrip("/").endswith("/v3"):
        return Connection(session=_session(place), auth_version="3", **told)
    return Connection(place.auth_url, place.user, place.password, auth_version="1", **told)


def _session(place: Place) -> Any:
    from keystoneauth1.identity import v3
    from keystoneauth1.session import Session

    password = v3.Password(
        auth_url=place.auth_url,
        username=place.user,
        password=place.password,
        project_name=place.project,
        user_domain_name=place.domain,
        project_domain_name=place.domain,
    )
    return Session(auth=password, verify=place.authorities or True, timeout=SECONDS)


@contextmanager
def translated(key: str) -> Iterator[None]:
    from keystoneauth1.exceptions import ClientException as KeystoneError
    from keystoneauth1.exceptions import ConnectFailure
    from requests.exceptions import RequestException
    from swiftclient.exceptions import ClientException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientException as error:
        raise _judged(error, key) from error
    except (RequestException, HTTPError, ConnectFailure, OSError) as error:
        raise StoreUnreachable(f"the object store cannot be reached: {error}") from error
    except KeystoneError as error:
        raise StoreRefused(f"Keystone does not let us into the object store: {error}") from error


def _judged(error: Any, key: str) -> Exception:
    """Who must act, from what the server answered."""
    status = int(error.http_status or 0)
    text = f"{status} {error.http_reason or error}: {str(error.http_response_content or '')[:200]}"
    known = {
        404: NoSuchObject(f"{key} is not in the store"),
        412: errors.Conflict(f"{key} is in the store already: objects are written once"),
        416: Beyond(),
        **dict.fromkeys(FULL, StoreFull(f"the object store takes no more: make room, or raise its quota ({text})")),
        **dict.fromkeys(AGAIN, StoreUnreachable(f"the object store cannot answer just now: {text}")),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return StoreUnreachable(f"the object store cannot answer just now: {text}")
    return StoreRefused(f"the object store refuses us: {text}")
