"""An object store that speaks S3: Amazon's, MinIO, Ceph, Swift's s3api, … by boto3."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, BinaryIO

from argosy import errors
from argosy.stores import pieces, probe
from argosy.stores.base import (
    KEY,
    NoSuchObject,
    StoreRefused,
    checked,
    checked_prefix,
)
from argosy.stores.pieces import Body, Piece
from argosy.stores.s3_requests import Beyond, Place, Stream, connected, translated


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
        with translated(keys[0], self._place):
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
        except Beyond:
            return pieces.NOTHING
        return Body(int(told["ContentLength"]), Stream(told["Body"]))

    # --- requests ---

    def _call(self, operation: str, key: str, **told: Any) -> Any:
        with translated(key, self._place):
            return getattr(self._client(), operation)(Bucket=self._place.bucket, Key=self._place.prefix + key, **told)

    def _pages(self, operation: str, prefix: str) -> Iterator[Any]:
        told = {"Bucket": self._place.bucket, "Prefix": self._place.prefix + checked_prefix(prefix)}
        with translated(prefix, self._place):
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
            client = connected(self._place)
            self._made = os.getpid(), client
        return client
