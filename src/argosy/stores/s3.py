"""An object store that speaks S3: Amazon's, MinIO, Ceph, Swift's s3api, … by boto3."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from argosy import errors
from argosy.stores import pieces, probe
from argosy.stores.base import (
    KEY,
    NoSuchObject,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    checked,
    checked_prefix,
)
from argosy.stores.pieces import Body, Piece

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


class S3Store:
    page = 1_000
    """keys told, or deleted, at once"""

    def __init__(self, place: Place, patience: float) -> None:
        self.patience = patience
        self._place = place
        self._made: tuple[int, Any] = (0, None)
        self._conditional: bool | None = None

    # --- a store ---

    def create(self, key: str) -> AbstractContextManager[BinaryIO]:
        return pieces.create(self, checked(key))

    def open(self, key: str, start: int = 0, length: int | None = None) -> BinaryIO:
        return pieces.open_(self, checked(key), start, length)

    def stat(self, key: str) -> int:
        told, _ = pieces.patiently(lambda: self._call("head_object", checked(key)), self.patience)
        return int(told["ContentLength"])

    def list(self, prefix: str) -> Iterator[str]:
        return (key for key, _ in self.sizes(prefix))

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        for page in self._pages("list_objects_v2", prefix):
            for each in page.get("Contents", []):
                key = each["Key"].removeprefix(self._place.prefix)
                if KEY.fullmatch(key):
                    yield key, int(each["Size"])

    def delete(self, key: str) -> None:
        pieces.patiently(lambda: self._call("delete_object", checked(key)), self.patience)

    def delete_prefix(self, prefix: str) -> None:
        if not prefix:
            raise errors.BadRequest("everything in the store is never deleted at once")
        while keys := list(itertools.islice(self.list(prefix), self.page)):
            self._delete_many(keys)
        for page in self._pages("list_multipart_uploads", prefix):
            for each in page.get("Uploads", []):
                self.abandon(each["Key"].removeprefix(self._place.prefix), each["UploadId"])

    def _delete_many(self, keys: Sequence[str]) -> None:
        named = {"Objects": [{"Key": self._place.prefix + key} for key in keys], "Quiet": True}
        with _translated(keys[0], self._place):
            told = self._client().delete_objects(Bucket=self._place.bucket, Delete=named)
        if told.get("Errors"):
            raise StoreRefused(f"the object store does not delete {keys[0]} and others: {told['Errors'][0]}")

    def room(self) -> None:
        return None

    # --- pieces ---

    def whole(self, key: str, body: bytes) -> None:
        self._call("put_object", key, Body=body, **self._once(key))

    def begin(self, key: str) -> str:
        return str(self._call("create_multipart_upload", key)["UploadId"])

    def piece(self, key: str, upload: str, number: int, body: bytes) -> str:
        return str(self._call("upload_part", key, UploadId=upload, PartNumber=number, Body=body)["ETag"])

    def finish(self, key: str, upload: str, sent: Sequence[Piece]) -> None:
        parts = [{"PartNumber": each.number, "ETag": each.tag} for each in sent]
        self._call(
            "complete_multipart_upload", key, UploadId=upload, MultipartUpload={"Parts": parts}, **self._once(key)
        )

    def abandon(self, key: str, upload: str) -> None:
        self._call("abort_multipart_upload", key, UploadId=upload)

    def fetch(self, key: str, start: int, length: int | None) -> Body:
        if length == 0:
            self.stat(key)
            return pieces.NOTHING
        asked = {"Range": f"bytes={start}-{'' if length is None else start + length - 1}"} if start or length else {}
        try:
            told = self._call("get_object", key, **asked)
        except _Beyond:
            return pieces.NOTHING
        return Body(int(told["ContentLength"]), _Stream(told["Body"]))

    # --- requests ---

    def _call(self, operation: str, key: str, **told: Any) -> Any:
        with _translated(key, self._place):
            return getattr(self._client(), operation)(Bucket=self._place.bucket, Key=self._place.prefix + key, **told)

    def _pages(self, operation: str, prefix: str) -> Iterator[Any]:
        told = {"Bucket": self._place.bucket, "Prefix": self._place.prefix + checked_prefix(prefix)}
        with _translated(prefix, self._place):
            yield from (
                self._client().get_paginator(operation).paginate(**told, PaginationConfig={"PageSize": self.page})
            )

    def _once(self, key: str) -> dict[str, str]:
        """What makes the server refuse to replace an object; where it would not, look. Raises Conflict."""
        if self._conditional is None:
            self._conditional = self._honours()
        if self._conditional:
            return {"IfNoneMatch": "*"}
        with suppress(NoSuchObject):
            self._call("head_object", key)
            raise errors.Conflict(f"{key} is in the store already: objects are written once")
        return {}

    def _honours(self) -> bool:
        """Whether the server knows conditions: it refuses to replace a probe."""
        key = probe.name()
        self._call("put_object", key, Body=b"")
        try:
            self._call("put_object", key, Body=b"", IfNoneMatch="*")
        except errors.Conflict:
            return True
        except errors.NotSupported:
            return False
        finally:
            self._call("delete_object", key)
        return False

    def _client(self) -> Any:
        """Of this process: who was forked shares no connections with its parent."""
        process, client = self._made
        if process != os.getpid():
            client = _connected(self._place)
            self._made = os.getpid(), client
        return client


def _connected(place: Place) -> Any:
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


class _Beyond(Exception):
    """the object ends before the range begins"""


class _Stream:
    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int, /) -> bytes:
        with _translated("", None):
            return bytes(self._body.read(size))

    def close(self) -> None:
        self._body.close()


@contextmanager
def _translated(key: str, place: Place | None) -> Iterator[None]:
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
        "InvalidRange": _Beyond(),
        "NoSuchBucket": StoreRefused(f"there is no bucket {place and place.bucket!r}: make it, or look at [store]"),
    }
    if code in known:
        return known[code]
    if status == 501:
        return errors.NotSupported(f"the object store cannot do that: {text}")
    if status >= 500:
        return StoreUnreachable(f"the object store cannot answer just now: {text}")
    return StoreRefused(f"the object store refuses us: {text}")
