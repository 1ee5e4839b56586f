"""S3, by a server that checks signatures: Swift's s3api."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from argosy.stores.base import StoreRefused, StoreUnreachable
from argosy.stores.s3 import S3Store
from argosy.stores.s3_requests import Place
from argosy.testing.contracts.store import StoreContract, put
from argosy.testing.swift_server import KEY, USER, Swift


@pytest.fixture(scope="module")
def place(swift: Swift) -> Place:
    return Place(swift.url, "backups", "of-argosy/", "us-east-1", "path", "", USER, KEY)


@pytest.fixture(scope="module")
def client(place: Place) -> Iterator[Any]:
    made = boto3.client(
        "s3",
        endpoint_url=place.url,
        region_name=place.region,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
    )
    yield made
    made.close()


@pytest.fixture
def store(place: Place, client: Any) -> Iterator[S3Store]:
    made = S3Store(place, patience=5.0)
    made.page = 20
    yield made
    for key in list(made.list("")):
        made.delete(key)
    assert "Contents" not in client.list_objects_v2(Bucket=place.bucket, Prefix=place.prefix), (
        "something is left that nobody lists"
    )


class TestS3(StoreContract):
    atomic = False  # Swift itself looks before it writes
    many = 50


def test_a_wrong_key_is_told(place: Place) -> None:
    with pytest.raises(StoreRefused, match="SignatureDoesNotMatch"):
        put(S3Store(dataclasses.replace(place, secret_key="other"), 1.0), "a", b"b")


def test_a_bucket_that_is_not_there_is_told(place: Place) -> None:
    with pytest.raises(StoreRefused, match="nowhere"):
        put(S3Store(dataclasses.replace(place, bucket="nowhere"), 1.0), "a", b"b")


def test_a_store_that_is_away_is_told(place: Place) -> None:
    with pytest.raises(StoreUnreachable):
        put(S3Store(dataclasses.replace(place, url="http://127.0.0.1:9"), 1.0), "a", b"b")
