"""A stream of archived log is opened by the key that lies beside it, and by no other."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from argosy.model.backups import Key
from argosy.stores import keys, streams
from argosy.stores.filesystem import FilesystemStore
from argosy.stores.frames import Damaged, WrongKey
from argosy.stores.keys import ProjectKey
from argosy.stores.streams import Stream

PROJECT, INSTANCE = "p", "i"
SECRET = bytes(range(32))
WHERE = streams.place(PROJECT, INSTANCE, 1)


class Shop:
    def __init__(self, root: Path) -> None:
        self.store = FilesystemStore(root)
        self.key = ProjectKey(PROJECT, 1, os.urandom(keys.KEY_BYTES))
        self.file = root / WHERE / streams.FILE
        sealed = self.key.seal(streams.name(INSTANCE, 1), SECRET)
        self.stream = Stream(PROJECT, INSTANCE, 1, "redis", "7.0.15", 5.5, sealed)
        streams.publish(self.store, WHERE, self.stream, SECRET)

    def read(self) -> tuple[Stream, bytes]:
        return streams.read(self.store, WHERE, lambda _number: self.key)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_it_is_read_back_with_its_key(shop: Shop) -> None:
    stream, key = shop.read()
    assert key == SECRET
    assert dataclasses.replace(stream, mac="") == shop.stream
    assert list(streams.find(shop.store, PROJECT, INSTANCE)) == [WHERE]


def test_it_is_published_once(shop: Shop) -> None:
    before = shop.file.read_bytes()
    streams.publish(shop.store, WHERE, dataclasses.replace(shop.stream, version="8"), SECRET)
    assert shop.file.read_bytes() == before


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(Stream)])
def test_no_field_can_be_edited(shop: Shop, field: str) -> None:
    told = json.loads(shop.file.read_bytes())
    had = told[field]
    told[field] = (
        dataclasses.asdict(Key(1, "00")) if field == "key" else had + 1 if field in {"number", "asked"} else "x"
    )
    shop.file.write_text(json.dumps(told))
    with pytest.raises((Damaged, WrongKey)):
        shop.read()


@pytest.mark.parametrize("mac", ["", "\x80", "\ud800", 7, None])
def test_what_is_no_mac_is_damage(shop: Shop, mac: object) -> None:
    shop.file.write_text(json.dumps({**json.loads(shop.file.read_bytes()), "mac": mac}))
    with pytest.raises(Damaged, match="was changed"):
        shop.read()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"{}", b'{"key": {"number": [1], "sealed": 1}}', b"[" * 99999]
)
def test_what_is_none_is_damage(shop: Shop, text: bytes) -> None:
    shop.file.write_bytes(text)
    with pytest.raises(Damaged, match="cannot be read"):
        shop.read()
