"""One database or table out of a server and into another, by pg_dump and pg_restore."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from argosy import errors
from argosy.engines import programs
from argosy.engines.accounts import Database
from argosy.engines.excerpts import Excerpt
from argosy.engines.postgresql import ENGINE, tape, wire
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, refuse
from argosy.engines.postgresql.doors import PostgresqlDoors
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.wire import identifier, literal

CARRIER = "os_carrier"
"""Who brings data in: a role that may become the master and nothing else. The administrator must not run what stands in
a tenant's dump, and one who has logged in as the administrator can always become it again.
"""
REACHING_OUT = (" FK CONSTRAINT ", " TRIGGER ", " RULE ", " POLICY ", " ROW SECURITY ", " PUBLICATION TABLE ")
"""What leads from a table to others, in the list of a dump: tables come with their rows and indexes, and alone."""
PLAIN = ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-password")
NAMED = 5


class PostgresqlExcerpts(PostgresqlDoors):
    """The facet Excerpts."""

    def take_out(self, database: str, tables: Sequence[str], scratch: Path, out: int) -> Excerpt:
        if database not in self._databases():
            raise errors.NotFound(f"there is no database {database}")
        wanted = [_whole_name(each) for each in tables]
        with self.session(database) as session:
            there = [f"{schema}.{name}" for schema, name in session.query(TABLES)]
            [(encoding, collate)] = session.query(WORDS)
        if missing := sorted(set(wanted) - set(there)):
            raise errors.NotFound(f"{database} has no table {', '.join(missing[:NAMED])}")
        chosen = [f"--table={_quoted(each)}" for each in wanted]
        programs.stream(
            self._program("pg_dump"), *self._way(ADMINISTRATOR), *PLAIN, "--format=custom", "--compress=0",
            "--no-publications", "--no-subscriptions", "--no-security-labels", *chosen, f"--dbname={database}",
            into=out, cwd=scratch,
        )  # fmt: skip
        return Excerpt(database, wanted or there, not tables, str(encoding), str(collate))

    def put_in(self, excerpt: Excerpt, into: str, scratch: Path, source: int) -> None:
        fresh = into not in self._databases()
        if excerpt.whole and not fresh:
            raise errors.Conflict(f"there is a database {into} already: drop it, or choose another name")
        if fresh:
            refuse(into, ENGINE.names.reserved_databases)
            self.put_database(Database(into, excerpt.character_set, excerpt.collate))
        else:
            self._refuse_present(excerpt, into)
        try:
            with self._carrier():
                self._restore(excerpt, into, scratch, _file(source, scratch))
        except BaseException:
            if fresh:
                self.drop_database(into)
            raise

    def _databases(self) -> set[str]:
        """Also the one that is nobody's own, where clients are that name none."""
        return {HOME, *self.list_databases()}

    def _restore(self, excerpt: Excerpt, into: str, scratch: Path, file: Path) -> None:
        tool, chosen = self._program("pg_restore"), []
        if not excerpt.whole:
            self._make_schemas(excerpt, into)
            lines = programs.run(tool, "--list", file).splitlines()
            kept = [line for line in lines if not any(each in line for each in REACHING_OUT)]
            (scratch / "list").write_text("\n".join(kept))
            chosen = [f"--use-list={scratch / 'list'}"]
        programs.stream(
            tool, *self._way(CARRIER), *PLAIN, f"--role={ENGINE.master}", "--single-transaction", *chosen,
            f"--dbname={into}", file, cwd=scratch,
        )  # fmt: skip

    def _make_schemas(self, excerpt: Excerpt, into: str) -> None:
        schemas = {each.partition(".")[0] for each in excerpt.tables}
        with self.session(into) as session:
            for each in sorted(schemas):
                session.query(f"CREATE SCHEMA IF NOT EXISTS {identifier(each)} AUTHORIZATION {ENGINE.master}")

    def _refuse_present(self, excerpt: Excerpt, into: str) -> None:
        with self.session(into) as session:
            there = [each for each in excerpt.tables if _known(session, each)]
        if there:
            raise errors.Conflict(
                f"{into} has {', '.join(there[:NAMED])} already: rename it, or choose another database"
            )

    def _way(self, user: str) -> tuple[str, ...]:
        return (f"--host={self.socket.parent}", f"--port={self.site.port}", f"--username={user}")

    def _program(self, name: str) -> Path:
        return LAYOUT.place(self.site.root) / name

    @contextmanager
    def _carrier(self) -> Iterator[None]:
        """Who may log in, by the socket only, while this lasts."""
        if self.write_doors():
            self.reload()
        gone = f"DROP ROLE IF EXISTS {CARRIER}"
        with self.session() as session:
            session.query(f"{gone}; CREATE ROLE {CARRIER} LOGIN; GRANT {ENGINE.master} TO {CARRIER}")
        try:
            yield
        finally:
            with self.session() as session:
                session.query(gone)


TABLES = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1, 2
"""


WORDS = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"


def _whole_name(table: str) -> str:
    return table if "." in table else f"public.{table}"


def _quoted(table: str) -> str:
    schema, _, name = table.partition(".")
    return f"{identifier(schema)}.{identifier(name)}"


def _known(session: wire.Connection, table: str) -> bool:
    return session.query(f"SELECT to_regclass({literal(_quoted(table))})") != [(None,)]


def _file(source: int, scratch: Path) -> Path:
    """What is read more than once."""
    file = scratch / "excerpt"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        while data := os.read(source, tape.CHUNK):
            tape.write(descriptor, data)
    finally:
        os.close(descriptor)
    return file
