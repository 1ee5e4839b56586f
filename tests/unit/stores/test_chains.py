"""A manifest is believed when nobody but us can have written it, a chain when each link is the one that was meant."""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from argosy import errors
from argosy.model.backups import Key, Manifest, Part, keys_place, place
from argosy.stores import chains, keys
from argosy.stores.base import NoSuchObject
from argosy.stores.filesystem import FilesystemStore
from argosy.stores.frames import Damaged, WrongKey
from argosy.stores.keys import LostKey, ProjectKey, Wrapping

MASTER = bytes(range(32))
BY = keys.wrapping(keys.deriving(MASTER))
BOX, PROJECT = "box", "project"
BLANK = Manifest(
    backup="", project=PROJECT, instance="i", name="n€", engine="mysql", datastore="mariadb", version="10.11.19",
    strategy="s", parent="", parent_mac="", gigabytes=1, created=1, finished=2.5, attempt="a",
    parts=(Part("000000", 3, "00"),), raw_bytes=1, stored_bytes=3, position={"b": 1, "a": [1.5, None]},
    canaries={}, key=Key(0, ""),
)  # fmt: skip


class Shop:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FilesystemStore(root)
        self.key = ProjectKey(PROJECT, 1, os.urandom(32))
        keys.publish(self.store, BOX, self.key, BY)

    def keep(self, backup: str, parent: str = "") -> Manifest:
        data_key = os.urandom(32)
        parent_mac = self.chain(parent)[-1].mac if parent else ""
        told = dataclasses.replace(
            BLANK, backup=backup, parent=parent, parent_mac=parent_mac, key=self.key.seal(backup, data_key)
        )
        made = chains.signed(told, data_key)
        chains.write(self.store, place(BOX, PROJECT, backup), made)
        return made

    def chain(self, backup: str, by: Wrapping = BY) -> list[Manifest]:
        key_of = chains.by_wrapping(self.store, BOX, by)
        return [link.manifest for link in chains.chain(self.store, place(BOX, PROJECT, backup), key_of)]

    def file(self, backup: str) -> Path:
        return self.root / place(BOX, PROJECT, backup) / chains.MANIFEST


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.keep("full")
    shop.keep("one", "full")
    shop.keep("two", "one")
    return shop


def test_a_chain_is_read_from_its_beginning(shop: Shop) -> None:
    assert [each.backup for each in shop.chain("two")] == ["full", "one", "two"]
    assert [each.backup for each in shop.chain("full")] == ["full"]
    assert shop.chain("full")[0].position == BLANK.position


def test_the_key_comes_with_the_link(shop: Shop) -> None:
    link = chains.read(shop.store, place(BOX, PROJECT, "one"), chains.by_wrapping(shop.store, BOX, BY))
    assert link.key == shop.key.open("one", link.manifest.key)
    assert link.key.hex() not in repr(link)


def test_the_same_manifest_may_be_written_again_and_no_other(shop: Shop) -> None:
    where = place(BOX, PROJECT, "full")
    again = chains.parse(shop.file("full").read_bytes())
    assert chains.write(shop.store, where, again) == where + chains.MANIFEST
    with pytest.raises(errors.Conflict):
        chains.write(shop.store, where, dataclasses.replace(again, name="other"))


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(Manifest) if each.name != "mac"])
def test_no_field_can_be_edited(shop: Shop, field: str) -> None:
    told = json.loads(shop.file("one").read_bytes())
    had = told[field]
    if isinstance(had, dict):
        told[field] = {**had, "number": had["number"] + 1} if "number" in had else {"x": 1}
    else:
        told[field] = had + 1 if isinstance(had, (int, float)) else had[1:] if had else "x"
    shop.file("one").write_text(json.dumps(told))
    with pytest.raises((Damaged, LostKey, WrongKey, chains.TooNew)):
        shop.chain("two")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'{"format": 1}', b"\xff", b'{"format": 1, "parts": 7}'])
def test_what_is_no_manifest_is_damage(shop: Shop, text: bytes) -> None:
    shop.file("one").write_bytes(text)
    with pytest.raises((Damaged, chains.TooNew)):
        shop.chain("two")


def test_not_even_what_means_nothing_can_be_cut_off(shop: Shop) -> None:
    shop.file("one").write_bytes(shop.file("one").read_bytes().rstrip())
    with pytest.raises(Damaged, match="not as it was written"):
        shop.chain("two")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted(each.name for each in dataclasses.fields(Manifest)))


@given(st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
@example({"mac": "\x80"})
@example({"mac": "\ud800"})
def test_whatever_stands_there_is_damage_and_nothing_worse(changes: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as root:
        shop = Shop(Path(root))
        had = json.loads(shop.keep("full").text())
        shop.file("full").write_text(json.dumps({**had, **changes}))
        with pytest.raises((Damaged, LostKey, WrongKey, chains.TooNew)):
            shop.chain("full")


def test_a_missing_parent_is_named(shop: Shop) -> None:
    shop.file("full").unlink()
    with pytest.raises(chains.MissingParent, match="one builds on full"):
        shop.chain("two")
    with pytest.raises(NoSuchObject):
        shop.chain("full")


def test_another_of_the_same_name_is_no_parent(shop: Shop) -> None:
    shop.file("one").unlink()
    shop.keep("one", "full")
    with pytest.raises(Damaged, match="two was not built on the one"):
        shop.chain("two")


def test_manifests_cannot_change_places(shop: Shop) -> None:
    full, one = shop.file("full").read_bytes(), shop.file("one").read_bytes()
    shop.file("full").write_bytes(one)
    shop.file("one").write_bytes(full)
    with pytest.raises(Damaged, match="is of another backup"):
        shop.chain("two")


def test_keys_of_backups_cannot_change_places(shop: Shop) -> None:
    told = json.loads(shop.file("one").read_bytes())
    told["key"] = json.loads(shop.file("two").read_bytes())["key"]
    shop.file("one").write_text(json.dumps(told))
    with pytest.raises(WrongKey, match="key of backup one"):
        shop.chain("one")


def test_another_master_key_is_named(shop: Shop) -> None:
    other = keys.wrapping(keys.deriving(bytes(32)))
    with pytest.raises(WrongKey, match=BY.master):
        shop.chain("one", other)
    assert other.master != BY.master


def test_a_key_that_is_lost_or_damaged_is_named(shop: Shop) -> None:
    where = shop.root / keys_place(BOX, PROJECT) / f"1-{BY.master}.json"
    where.write_bytes(where.read_bytes().replace(b'"sealed": "', b'"sealed": "00'))
    with pytest.raises(Damaged, match=where.name):
        shop.chain("one")
    where.unlink()
    keys.publish(shop.store, BOX, ProjectKey(PROJECT, 2, os.urandom(32)), BY)
    with pytest.raises(LostKey, match=where.name):  # not of another master key: the other is another key
        shop.chain("one")


def test_a_key_is_published_once_and_never_replaced(shop: Shop) -> None:
    assert keys.publish(shop.store, BOX, shop.key, BY).endswith(f"/1-{BY.master}.json")
    with pytest.raises(WrongKey, match="another key"):
        keys.publish(shop.store, BOX, ProjectKey(PROJECT, 1, os.urandom(32)), BY)
    assert shop.chain("two")


def test_parts_are_looked_for(shop: Shop) -> None:
    where, parts = place(BOX, PROJECT, "full"), [Part("000000", 3, ""), Part("000001", 4, ""), Part("000002", 1, "")]
    for name in ("000000", "000001"):
        with shop.store.create(f"{where}a/{name}") as out:
            out.write(b"xxx")
    told = list(chains.missing(shop.store, where, "a", parts))
    assert told == ["part 000001 has 3 bytes instead of 4", "part 000002 is missing"]
