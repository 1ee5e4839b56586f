"""Backups of real servers of PostgreSQL, taken and brought back."""

from __future__ import annotations

import hashlib
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from postgresql_hands import Archivist, Kept

from argosy import errors
from argosy.engines import registry
from argosy.engines.postgresql.finder import LAYOUT
from argosy.model.guest import Identity, Secret
from argosy.testing import servers
from argosy.testing.clients import Login, Tenant
from argosy.testing.hands import Hands
from argosy.testing.servers import Farm, Server

PASSWORD = Secret("correct-horse")


def own() -> Identity:
    return Identity(str(uuid.uuid4()), 1)


def archivist(server: Server) -> Server:
    server.hands.close()
    server.hands = Hands(Archivist, server.site)
    return server


class BackupsOfPostgresql:
    version: ClassVar[str]
    made_of: ClassVar[str]
    """increments"""
    sessions: ClassVar[int]
    """that an increment takes"""

    @pytest.fixture(scope="class")
    @classmethod
    def farm(cls) -> Iterator[Farm]:
        with servers.farm() as farm:
            yield farm

    @pytest.fixture(scope="class")
    @classmethod
    def template(cls, farm: Farm) -> Server:
        return farm.template(registry.get("postgresql"), servers.require("postgresql", cls.version))

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, farm: Farm, template: Server) -> Server:
        server = archivist(farm.clone(template, own()))
        server.start()
        server.hands.call("put_master", PASSWORD)
        with_tenant(server, "CREATE TABLE orders (number int PRIMARY KEY, what text)")
        return server

    @pytest.fixture
    def store(self, source: Server) -> Path:
        """Where its user may write."""
        place = source.site.state / uuid.uuid4().hex
        source.hands.call("make_folder", place)
        return place

    def test_a_base_backup_comes_back(self, farm: Farm, source: Server, store: Path) -> None:
        put(source, 5000)
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        put(source, 100)
        server = restored(farm, source, [kept])
        assert rows(server) == rows(source) - 100
        assert server.stop() == 0

    def test_a_server_of_a_release_before_is_backed_up(self, source: Server, store: Path) -> None:
        source.hands.call("close_the_door")
        source.hands.call("dump_into", store / "full", "basebackup")

    def test_what_is_restored_is_looked_through(self, farm: Farm, source: Server, store: Path) -> None:
        put(source, 10)
        seen = source.hands.call("canaries")
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        server = restored(farm, source, [kept])
        report = server.hands.call("examine_restored", seen)
        assert report["indexes"] > 100
        assert report["tables"] > 50
        assert report["unchecked"] == 0
        assert report["compared"] == 1
        with_tenant(server, "DELETE FROM orders WHERE number = (SELECT min(number) FROM orders)")
        with pytest.raises(errors.GuestFailed, match=r"table public.orders of postgres had"):
            server.hands.call("examine_restored", seen)
        assert server.stop() == 0

    def test_a_chain_comes_back(self, farm: Farm, source: Server, store: Path) -> None:
        chain = [source.hands.call("dump_into", store / "0", "basebackup")]
        counts = [rows(source)]
        for number in range(1, 4):
            churn(source, number)
            chain.append(source.hands.call("dump_into", store / str(number), "incremental", chain[-1].taken.position))
            counts.append(rows(source))
        assert {each.taken.position["kind"] for each in chain[1:]} == {self.made_of}
        assert chain[3].path.stat().st_size < chain[0].path.stat().st_size
        seen = source.hands.call("canaries")
        for length in (2, 4):
            server = restored(farm, source, chain[:length])
            assert rows(server) == counts[length - 1]
            if length == len(chain):
                server.hands.call("examine_restored", seen)
            assert server.stop() == 0

    def test_a_server_is_asked_once_at_the_end_and_keeps_its_log_till_then(self, source: Server, store: Path) -> None:
        assert source.hands.call("sessions_of_a_dump", store / "0", "basebackup") == 2
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        since = kept.taken.position
        assert source.hands.call("sessions_of_a_dump", store / "1", "incremental", since) == self.sessions

    def test_nothing_is_built_on_another_history(self, farm: Farm, source: Server, store: Path) -> None:
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        server = restored(farm, source, [kept])
        with pytest.raises(errors.Rejected, match="full backup"):
            server.hands.call("dump_into", server.site.state / "more", "incremental", kept.taken.position)
        assert server.stop() == 0

    def test_another_release_is_refused_politely(self, farm: Farm, source: Server, store: Path) -> None:
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        other = servers.require("postgresql", "17" if self.version == "15" else "15")
        server = archivist(farm.bare(source.engine, other))
        with pytest.raises(errors.Rejected, match=f"instance of version {self.version}"):
            server.hands.call("load_from", [kept])

    def test_a_snapshot_comes_back(self, farm: Farm, source: Server, store: Path) -> None:
        """Of a copy taken at once, which this one is because nobody writes."""
        put(source, 10)
        copy = source.hands.call("copy_quiesced", store / "volume")
        put(source, 10)
        offline = archivist(farm.bare(source.engine, source.found))
        kept: Kept = offline.hands.call("dump_copy", copy, offline.site.state / "kept")
        server = restored(farm, source, [kept])
        assert rows(server) == rows(source) - 10
        assert server.stop() == 0
        more = source.hands.call("dump_into", store / "more", "incremental", kept.taken.position)
        server = restored(farm, source, [kept, more])
        assert rows(server) == rows(source)
        assert server.stop() == 0

    def test_quiescing_ends_by_itself(self, source: Server) -> None:
        with pytest.raises(errors.GuestFailed, match="throughout"):
            source.hands.call("quiesce_too_long")
        put(source, 1)


def put(server: Server, count: int) -> None:
    with_tenant(
        server,
        "INSERT INTO orders SELECT coalesce(max(number), 0) + n, repeat(md5(n::text), 5)"
        f" FROM orders RIGHT JOIN generate_series(1, {count}) n ON true GROUP BY n",
    )


def churn(server: Server, number: int) -> None:
    """What changes a cluster in every way: rows, files, whole databases, and what a vacuum cuts off. Tens of numbers
    begin anew.
    """
    put(server, 50)
    with_tenant(server, f"CREATE TABLE late_{number} AS SELECT generate_series(1, 20000) n")
    with_tenant(server, f"CREATE INDEX ON late_{number} (n)")
    with_tenant(server, f"CREATE DATABASE late_{number}")
    if number % 10 > 1:
        with_tenant(server, f"DELETE FROM late_{number - 1} WHERE n > 100")
        with_tenant(server, f"VACUUM late_{number - 1}")
        with_tenant(server, f"DROP DATABASE late_{number - 1}")
    if number % 10 > 2:
        with_tenant(server, f"DROP TABLE late_{number - 2}")


def rows(server: Server) -> int:
    [[count]] = with_tenant(server, "SELECT count(*) FROM orders")
    return int(count)


def login(server: Server) -> Login:
    return server.login("root", PASSWORD)


def with_tenant(server: Server, statement: str) -> list[list[Any]]:
    tenant: Tenant = server.connect(login(server))
    try:
        return tenant.run(statement)
    finally:
        tenant.close()


def restored(farm: Farm, source: Server, chain: list[Kept]) -> Server:
    server = archivist(farm.bare(source.engine, source.found))
    server.hands.call("load_from", chain)
    server.hands.call("adopt", own())
    server.issue_certificate()
    server.hands.call("configure", {})
    server.start()
    return server


class TestBackupsOfPostgresql15(BackupsOfPostgresql):
    version = "15"
    made_of = "log"
    sessions = 1

    def test_so_much_log_that_a_volume_could_not_take_it_is_refused(self, source: Server, store: Path) -> None:
        """Told before anything is written, and by a parent that has so much below it already."""
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        much = {**kept.taken.position, "log_bytes": source.site.volume // 4}
        with pytest.raises(errors.Rejected, match="full backup"):
            source.hands.call("dump_into", store / "more", "incremental", much)
        assert (store / "more").stat().st_size == 0

    def test_log_that_is_not_kept_any_more_is_refused(self, source: Server, store: Path) -> None:
        kept: Kept = source.hands.call("dump_into", store / "full", "basebackup")
        source.hands.call("lose_log", kept.taken.position)
        with pytest.raises(errors.Rejected, match="not kept any more"):
            source.hands.call("dump_into", store / "more", "incremental", kept.taken.position)


class TestBackupsOfPostgresql17(BackupsOfPostgresql):
    version = "17"
    made_of = "blocks"
    sessions = 2

    def test_increments_are_laid_over_as_the_engines_own_tool_does(
        self, farm: Farm, source: Server, store: Path, tmp_path: Path
    ) -> None:
        chain = [source.hands.call("dump_into", store / "0", "basebackup")]
        for number in range(11, 14):
            churn(source, number)
            chain.append(source.hands.call("dump_into", store / f"{number}", "incremental", chain[-1].taken.position))
        parts = [_unpacked(each, tmp_path / f"{number}") for number, each in enumerate(chain)]
        tool = LAYOUT.place(source.site.root) / "pg_combinebackup"
        subprocess.run([tool, "-o", tmp_path / "whole", *parts], check=True)
        server = archivist(farm.bare(source.engine, source.found))
        server.hands.call("load_from", chain)
        theirs, ours = (_files(each) for each in (tmp_path / "whole", server.site.data / "db"))
        assert {name: theirs.get(name) for name in ours | theirs} == ours

    def test_without_notes_of_what_changed_the_log_tells_it(self, farm: Farm, source: Server, store: Path) -> None:
        chain = [source.hands.call("dump_into", store / "0", "basebackup")]
        put(source, 10)
        source.hands.call("lose_notes")
        chain.append(source.hands.call("dump_into", store / "1", "incremental", chain[0].taken.position))
        assert chain[1].taken.position["kind"] == "log"
        server = restored(farm, source, chain)
        assert rows(server) == rows(source)
        assert server.stop() == 0


def _unpacked(kept: Kept, place: Path) -> Path:
    place.mkdir()
    subprocess.run(["tar", "-xf", kept.path, "-C", place], check=True)
    return place


def _files(directory: Path) -> dict[str, str]:
    """Digests of all but what tells of the backup."""
    return {
        str(each.relative_to(directory)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in sorted(directory.rglob("*"))
        if each.is_file() and each.name != "backup_manifest" and each.suffix != ".done"
    }
