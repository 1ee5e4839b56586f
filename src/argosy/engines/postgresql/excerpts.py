"""One database, or one table of it, out of a server that was brought back into one that runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from argosy import errors
from argosy.engines import programs
from argosy.engines.accounts import Database
from argosy.engines.excerpts import Excerpt
from argosy.engines.postgresql import ENGINE, wire
from argosy.engines.postgresql.accounts import ADMINISTRATOR
from argosy.engines.postgresql.doors import PostgresqlDoors
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.wire import identifier, literal

CARRIER = "os_carrier"
"""Who brings data in: a role that may become the master and nothing else. The administrator must not run what stands in
a tenant's dump, and one who has logged in as the administrator can always become it again.
"""

ALONE = """
DO $$ DECLARE statement text; BEGIN
FOR statement IN
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
 WHERE conrelid = {table}::regclass AND contype = 'f'
UNION ALL SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger
 WHERE tgrelid = {table}::regclass AND NOT tgisinternal
LOOP EXECUTE statement; END LOOP; END $$;
CREATE SCHEMA {schema}; ALTER TABLE {name} SET SCHEMA {schema}
"""
"""A table with its rows and indexes, and nothing that reaches from it to others."""


class PostgresqlExcerpts(PostgresqlDoors):
    """The facet Excerpts."""

    def take_out(self, what: Excerpt, out: int) -> None:
        self._require_database(what.database)
        chosen = []
        if what.table:
            with self.session(what.database) as session:
                _set_apart(session, what)
            chosen = [f"--schema={identifier(what.name)}"]
        programs.stream(
            LAYOUT.place(self.site.root) / "pg_dump", *self._door(ADMINISTRATOR), "--format=custom", "--compress=0",
            "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions", "--no-security-labels",
            "--no-tablespaces", "--no-password", *chosen, f"--dbname={what.database}", into=out,
        )  # fmt: skip

    def bring_in(self, what: Excerpt, source: int) -> None:
        place = what.database if what.table else what.name
        self._refuse_existing(what)
        if not what.table:
            self.put_database(Database(what.name))
        try:
            with self._carrier():
                programs.stream(
                    LAYOUT.place(self.site.root) / "pg_restore", *self._door(CARRIER), f"--role={ENGINE.master}",
                    "--no-owner", "--no-privileges", "--no-tablespaces", "--single-transaction", "--no-password",
                    f"--dbname={place}", source=source,
                )  # fmt: skip
        except BaseException:
            if not what.table:
                self.drop_database(what.name)
            raise

    def _door(self, user: str) -> tuple[str, ...]:
        return (f"--host={self.socket.parent}", f"--port={self.site.port}", f"--username={user}")

    def _require_database(self, name: str) -> None:
        if name not in self.list_databases():
            raise errors.NotFound(f"there is no database {name}")

    def _refuse_existing(self, what: Excerpt) -> None:
        if not what.table:
            if what.name in self.list_databases():
                raise errors.Conflict(f"there is a database {what.name} already: choose another name")
            return
        self._require_database(what.database)
        with self.session(what.database) as session:
            if session.query(f"SELECT FROM pg_namespace WHERE nspname = {literal(what.name)}"):
                raise errors.Conflict(f"there is a schema {what.name} in {what.database} already: choose another name")

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


def _set_apart(session: wire.Connection, what: Excerpt) -> None:
    """Done already by somebody who was killed: nothing happens."""
    schema, _, table = what.table.rpartition(".")
    name = f"{identifier(schema or 'public')}.{identifier(table)}"
    if session.query(f"SELECT FROM pg_tables WHERE schemaname = {literal(what.name)} AND tablename = {literal(table)}"):
        return
    if session.query(f"SELECT to_regclass({literal(name)})") == [(None,)]:
        raise errors.NotFound(f"there is no table {what.table} in {what.database}")
    session.query("SET default_transaction_read_only = off")
    session.query(ALONE.format(table=literal(name), name=name, schema=identifier(what.name)))
