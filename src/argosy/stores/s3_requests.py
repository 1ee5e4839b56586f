"""Requests to a server that speaks S3, and what its answers mean: who must act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argosy import errors
from argosy.stores.base import NoSuchObject, StoreFull, StoreRefused, StoreUnreachable

CONNECT_SECONDS, READ_SECONDS = 10, 60
CONNECTIONS = 16
ABSENT = frozenset({"404", "NoSuchKey", "NotFound"})
THERE = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict", "NoSuchUpload"})
"""also of an upload that has ended: by an earlier try, or by who deletes everything below its prefix"""
FULL = frozenset({"507", "413", "EntityTooLarge", "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage"})
AGAIN = frozenset({"429", "408", "SlowDown", "RequestTimeout", "OperationAborted"})


@dataclass(frozen=True)
class Place:
    """Where, and as whom."""

    url: str
    """empty: Amazon"""
    bucket: str
    prefix: str
    """before every key: empty, or ends with a slash"""
    region: str
    addressing: str
    """`path`, `virtual` or `auto`"""
    authorities: str
    """PEM file; empty: the system's"""
    access_key: str
    secret_key: str = field(repr=False)


def connected(place: Place) -> Any:
    import boto3
    from botocore.config import Config

    behaviour = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        retries={"total_max_attempts": 1},  # pieces are repeated here, where it is known whether that is harmless
        s3={"addressing_style": place.addressing},
        request_checksum_calculation="when_required",  # others than Amazon do not know the newer checksums
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3",
        endpoint_url=place.url or None,
        region_name=place.region,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        verify=place.authorities or None,
        config=behaviour,
    )


class Beyond(Exception):
    """the object ends before the range begins"""


class Stream:
    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int, /) -> bytes:
        with translated("", None):
            return bytes(self._body.read(size))

    def close(self) -> None:
        self._body.close()


@contextmanager
def translated(key: str, place: Place | None) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
    from botocore.exceptions import ConnectionError as NotConnected
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        raise _judged(error.response, key, place) from error
    except (NotConnected, HTTPClientError, IncompleteReadError, HTTPError, OSError) as error:
        raise StoreUnreachable(f"the object store cannot be reached: {error}") from error
    except BotoCoreError as error:
        raise StoreRefused(f"the object store cannot be used: {error}") from error


def _judged(response: Any, key: str, place: Place | None) -> Exception:
    """Who must act, from what the server answered."""
    status, told = int(response["ResponseMetadata"].get("HTTPStatusCode", 0)), response.get("Error", {})
    code, text = str(told.get("Code", "")), f"{status} {told.get('Code')}: {told.get('Message')}"
    known = {
        **dict.fromkeys(ABSENT, NoSuchObject(f"{key} is not in the store")),
        **dict.fromkeys(THERE, errors.Conflict(f"{key} is in the store already: objects are written once")),
        **dict.fromkeys(FULL, StoreFull(f"the object store takes no more: make room, or raise its quota ({text})")),
        **dict.fromkeys(AGAIN, StoreUnreachable(f"the object store cannot answer just now: {text}")),
        "InvalidRange": Beyond(),
        "NoSuchBucket": StoreRefused(f"there is no bucket {place and place.bucket!r}: make it, or look at [store]"),
    }
    if code in known:
        return known[code]
    if status == 501:
        return errors.NotSupported(f"the object store cannot do that: {text}")
    if status >= 500:
        return StoreUnreachable(f"the object store cannot answer just now: {text}")
    return StoreRefused(f"the object store refuses us: {text}")
