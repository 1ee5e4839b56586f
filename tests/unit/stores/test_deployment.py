"""From settings to a store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from argosy import settings
from argosy.settings import BadSetting
from argosy.stores import deployment
from argosy.stores.base import Store, StoreRefused, StoreUnreachable
from argosy.stores.filesystem import FilesystemStore


def made(state: Path, **told: Any) -> Store:
    return deployment.store(settings.from_tables(state, {"store": told}))


def put(store: Store) -> None:
    with store.create("a") as out:
        out.write(b"b")


def test_without_a_word_it_is_in_the_state_directory(tmp_path: Path) -> None:
    store = made(tmp_path)
    put(store)
    assert isinstance(store, FilesystemStore)
    assert (tmp_path / "objects" / "a").read_bytes() == b"b"
    assert made(tmp_path) is store


def test_where_a_mount_is_missing_nothing_is_written(tmp_path: Path) -> None:
    store = made(tmp_path, path=str(tmp_path / "mount" / "argosy"))
    for act in (lambda: put(store), lambda: list(store.list("")), lambda: store.open("a"), lambda: store.delete("a")):
        with pytest.raises(StoreUnreachable, match="is it mounted"):
            act()
    assert not (tmp_path / "mount").exists()
    (tmp_path / "mount" / "argosy").mkdir(parents=True)
    put(store)


@pytest.mark.parametrize("told", [{"kind": "tape"}, {"prefix": "argosy"}])
def test_what_cannot_be_is_told(tmp_path: Path, told: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match=r"store\."):
        made(tmp_path, **told)


def region(state: Path, told: Any, name: str = "north") -> Store:
    return deployment.store(settings.from_tables(state, {"regions": {name: told}}), name)


def test_a_region_has_a_store_and_credentials_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    put(region(tmp_path, {"path": str(tmp_path / "theirs")}))
    assert (tmp_path / "theirs" / "a").exists()
    assert not (tmp_path / "objects").exists()
    file = tmp_path / "keys" / "region-north.toml"
    with pytest.raises(StoreRefused, match=r"keys/region-north\.toml"):
        region(tmp_path, {"kind": "s3"})
    file.parent.mkdir()
    file.write_text('access_key = "a"\nsecret_key = "hush"\n')
    file.chmod(0o600)
    assert region(tmp_path, {"kind": "s3"}) is region(tmp_path, {"kind": "s3"})


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"paht": "/mnt"}, r"no option regions\.north\.paht"),
        ({}, r"regions\.north\.path is empty"),
        ({"kind": "tape"}, "tape"),
        ({"path": "/mnt", "projects": ["p"]}, r"regions\.north\.projects must be a table"),
        ("no JSON", r"regions\.north must be a table, or JSON"),
    ],
)
def test_a_region_that_is_told_wrongly_stops_only_who_needs_it(tmp_path: Path, told: Any, said: str) -> None:
    deployments = settings.from_tables(tmp_path, {"regions": {"north": told, "south": {"path": str(tmp_path)}}})
    assert deployment.store(deployments)
    assert deployment.store(deployments, "south")
    with pytest.raises(BadSetting, match=said):
        deployment.store(deployments, "north")


def test_a_region_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="the name of a region"):
        region(tmp_path, {"path": "/mnt"}, "../store")
    with pytest.raises(BadSetting, match=r"put \[regions.north\] there"):
        deployment.store(settings.from_tables(tmp_path, {}), "north")


def test_a_region_by_environment(tmp_path: Path) -> None:
    told = {"ARGOSY_REGIONS__NORTH": '{"path": "/mnt", "projects": {"theirs": "ours"}}'}
    north = settings.load(tmp_path, told).region("north")
    assert (north.store.path, north.projects) == ("/mnt", {"theirs": "ours"})


@pytest.mark.parametrize("kind", ["s3", "swift"])
def test_credentials_are_for_one_user_only(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "keys" / "store.toml"
    with pytest.raises(StoreRefused, match="cannot be read"):
        made(tmp_path, kind=kind)
    file.parent.mkdir()
    file.write_text('access_key = "a"\nsecret_key = "hush"\nuser = "u"\npassword = "hush"\n')
    file.chmod(0o640)
    with pytest.raises(StoreRefused, match="chmod it 600"):
        made(tmp_path, kind=kind)
    file.chmod(0o600)
    assert made(tmp_path, kind=kind, url="http://127.0.0.1:9/v3")


@pytest.mark.parametrize("text", ["not toml", 'access_key = "hush"', ""])
def test_credentials_that_say_nothing_are_told_without_what_they_say(tmp_path: Path, text: str) -> None:
    file = tmp_path / "store"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(StoreRefused) as told:
        made(tmp_path, kind="s3", credentials_file=str(file))
    assert "hush" not in str(told.value)


def test_secrets_are_not_shown_by_what_holds_them(tmp_path: Path) -> None:
    file = tmp_path / "store"
    file.write_text('access_key = "a"\nsecret_key = "hush"\nuser = "u"\npassword = "hush"\n')
    file.chmod(0o600)
    for kind in ("s3", "swift"):
        store = made(tmp_path, kind=kind, credentials_file=str(file))
        assert "hush" not in repr(vars(store))


def test_no_library_is_loaded_that_is_not_needed(tmp_path: Path) -> None:
    """They are tens of megabytes in each process."""
    ask = (
        "import sys; from pathlib import Path; from argosy import settings; from argosy.stores import deployment;"
        "deployment.store(settings.from_tables(Path(sys.argv[1]), {}));"
        "print([each for each in ('boto3', 'botocore', 'swiftclient', 'requests') if each in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", ask, tmp_path], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_a_full_disk_a_forbidden_one_and_others_are_told_apart() -> None:
    from argosy.stores.base import StoreFull
    from argosy.stores.disk import translated

    for number, kind in (
        (28, StoreFull),
        (122, StoreFull),
        (13, StoreRefused),
        (30, StoreRefused),
        (5, StoreUnreachable),
    ):
        with pytest.raises(kind), translated():
            raise OSError(number, os.strerror(number))
