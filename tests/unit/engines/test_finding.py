"""Engine roots, the catalogue, and programs that are asked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from argosy import errors
from argosy.engines import catalogue, files, programs, registry, roots
from argosy.engines.base import Capability, Found
from argosy.model.guest import Site


def program(path: Path, prints: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(0o755)
    return path


def postgresql(place: Path, version: str) -> None:
    program(place / "postgres", f"postgres (PostgreSQL) {version} (Debian)")
    program(place / "initdb", "")


def test_one_version_in_a_root_takes_the_whole_root(tmp_path: Path) -> None:
    postgresql(tmp_path / "usr/lib/postgresql/16/bin", "16.4")
    [found] = registry.get("postgresql").find(tmp_path)
    assert (found.version, found.root) == ("16.4", tmp_path)


def test_versions_side_by_side_have_roots_of_their_own_and_the_newest_is_last(tmp_path: Path) -> None:
    for version in ("9.6.24", "16.4", "15.18"):
        postgresql(tmp_path / f"usr/lib/postgresql/{version}/bin", version)
    found = registry.get("postgresql").find(tmp_path)
    assert [each.version for each in found] == ["9.6.24", "15.18", "16.4"]
    assert found[-1].root == tmp_path / "usr/lib/postgresql/16.4"


def test_versions_are_sorted_by_their_numbers() -> None:
    mixed = ["10.11.19-MariaDB", "9.6.24", "10.2", "10.11.2"]
    assert sorted(mixed, key=roots.order) == ["9.6.24", "10.2", "10.11.2", "10.11.19-MariaDB"]


def test_nobody_else_takes_a_version_apart_to_sort_by() -> None:
    code = Path(roots.__file__).parents[1]
    splitting = re.compile(r"int\(\w+\) for \w+ in .*split\(\"\.\"\)")
    assert {file.name for file in code.rglob("*.py") if splitting.search(file.read_text())} == {"roots.py"}


def test_a_link_to_the_same_directory_is_no_second_server(tmp_path: Path) -> None:
    postgresql(tmp_path / "usr/lib/postgresql/16/bin", "16.4")
    (tmp_path / "lib").symlink_to("usr/lib")
    assert len(registry.get("postgresql").find(tmp_path)) == 1


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "redis"])
def test_an_empty_root_holds_nothing(engine: str, tmp_path: Path) -> None:
    assert not registry.get(engine).find(tmp_path)


def test_a_redis_without_tls_says_so(tmp_path: Path) -> None:
    program(tmp_path / "bin/redis-server", "Redis server v=6.2.14 sha=0")
    [found] = registry.get("redis").find(tmp_path)
    assert Capability.TLS not in found.capabilities
    assert "not encrypted" in found.note


def test_a_program_is_asked_again_when_it_changes(tmp_path: Path) -> None:
    asked = program(tmp_path / "tool", "one")
    assert programs.ask(asked) == "one"
    program(asked, "another")
    assert programs.ask(asked) == "another"


def test_a_program_that_cannot_run_says_nothing(tmp_path: Path) -> None:
    assert programs.ask(tmp_path / "absent") == ""
    (tmp_path / "text").write_text("no program")
    assert programs.ask(tmp_path / "text") == ""


def test_a_failing_program_is_quoted() -> None:
    with pytest.raises(errors.GuestFailed, match="sh ended with 3: no room"):
        programs.run("/bin/sh", "-c", "echo no room >&2; exit 3")


def test_mysql_is_answered_by_mariadb_and_the_name_says_so() -> None:
    found = Found("10.11.19", Path("/usr"), frozenset({Capability.TLS}))
    native, stand_in = catalogue.offers(registry.get("mysql"), [found])
    assert (native.datastore, native.name, native.note) == ("mariadb", "10.11.19", "")
    assert (stand_in.datastore, stand_in.name, stand_in.number) == ("mysql", "10.11.19-MariaDB", "10.11.19")
    assert "MariaDB answers" in stand_in.note


def test_an_engine_of_one_datastore_is_offered_as_it_is() -> None:
    found = [Found("7.0.15", Path("/usr"), frozenset(), "no TLS")]
    [only] = catalogue.offers(registry.get("redis"), found)
    assert (only.datastore, only.name, only.number, only.note) == ("redis", "7.0.15", "7.0.15", "no TLS")


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    files.write(tmp_path / "sub" / "file", "one")
    files.write(tmp_path / "sub" / "file", "two")
    assert (tmp_path / "sub" / "file").read_text() == "two"
    assert (tmp_path / "sub" / "file").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (tmp_path / "sub").iterdir()] == ["file"]


def test_a_socket_path_that_the_kernel_would_refuse_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.GuestFailed, match="shorter state directory"):
        files.socket_path(tmp_path / ("x" * 100), "s.sock")


def test_declarations_load_no_driver() -> None:
    code = (
        "import sys; from argosy.engines import registry; registry.engines();"
        "print([name for name in sys.modules if name.startswith('argosy.engines.') and name.count('.') == 3])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_valkey_is_offered_as_valkey_and_redis_as_redis(name: str, tmp_path: Path) -> None:
    """Whatever the program is called: packages of Valkey bring a link of the other name."""
    redis, engine = Found("8.0.1", Path("/usr"), frozenset()), registry.get("redis")
    server = program(tmp_path / "bin" / name, "Valkey server v=8.0.1 sha=0 Failed to load certificate")
    [valkey] = engine.find(tmp_path)
    assert Capability.TLS in valkey.capabilities
    offered = [(each.datastore, each.name, each.number) for each in catalogue.offers(engine, [redis, valkey])]
    assert offered == [("redis", "8.0.1", "8.0.1"), ("valkey", "8.0.1", "8.0.1-valkey")]
    assert engine.load_driver()(site_of(tmp_path)).service().argv[0] == str(server)


def site_of(root: Path) -> Site:
    return Site(root, root, root, address="", port=0, memory=0, vcpus=1.0, volume=0)
