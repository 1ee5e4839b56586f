"""One database or table out of a server and into another, by mariadb-dump and the client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from argosy import errors
from argosy.engines import programs
from argosy.engines.accounts import Database
from argosy.engines.excerpts import Excerpt
from argosy.engines.mysql import ENGINE, mysqldump, secluded, tools
from argosy.engines.mysql.accounts import MysqlAccounts
from argosy.engines.mysql.wire import identifier, literal, quoted

NAMED = 5


class MysqlExcerpts(MysqlAccounts):
    """The facet Excerpts."""

    def take_out(self, database: str, tables: Sequence[str], scratch: Path, out: int) -> Excerpt:
        there = self._tables(database)
        if not there and database not in self.list_databases():
            raise errors.NotFound(f"there is no database {database}")
        if missing := sorted(set(tables) - set(there)):
            raise errors.NotFound(f"{database} has no table {', '.join(missing[:NAMED])}")
        parts = mysqldump.DEFINITIONS[: 1 if tables else None]
        with tools.login(scratch, self.socket, self.secret.read_text(encoding="ascii")) as login:
            dump = tools.find(self.site.root, tools.DUMP)
            options = (login, *mysqldump.FAITHFUL, *parts)
            programs.stream(dump, *options, "--skip-add-drop-table", "--", database, *tables, into=out, cwd=scratch)
        return Excerpt(database, tables or there, not tables, *self._character_set(database))

    def put_in(self, excerpt: Excerpt, into: str, scratch: Path, source: int) -> None:
        fresh = into not in self.list_databases()
        self._refuse_present(excerpt, into, fresh=fresh)
        self.put_database(Database(into, excerpt.character_set, excerpt.collate))
        try:
            with tools.login(scratch, self.socket, self.secret.read_text(encoding="ascii")) as login:
                client = secluded.client(self.site, login)
                programs.stream(*client, f"--database={into}", source=source, cwd=scratch)
        except BaseException:
            self._undo(into, () if fresh else excerpt.tables)
            raise

    def _refuse_present(self, excerpt: Excerpt, into: str, *, fresh: bool) -> None:
        if into in ENGINE.names.reserved_databases:
            raise errors.BadRequest(f"the name {into!r} is reserved")
        if excerpt.whole and not fresh:
            raise errors.Conflict(f"there is a database {into} already: drop it, or choose another name")
        if present := sorted(set(excerpt.tables) & set(self._tables(into))):
            raise errors.Conflict(
                f"{into} has {', '.join(present[:NAMED])} already: rename it, or choose another database"
            )

    def _undo(self, database: str, tables: Sequence[str]) -> None:
        """Of what was not there before: without tables the whole database. Rights that name it stay."""
        with self.session() as session:
            if not tables:
                session.query(f"DROP DATABASE IF EXISTS {identifier(database)}")
                return
            session.query("SET foreign_key_checks = 0")
            for kind in ("VIEW", "TABLE"):
                names = ", ".join(f"{quoted(database)}.{quoted(each)}" for each in tables)
                session.query(f"DROP {kind} IF EXISTS {names}")

    def _tables(self, database: str) -> Sequence[str]:
        with self.session() as session:
            rows = session.query(
                f"SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = {literal(database)} ORDER BY 1"  # noqa: S608 - quoted
            )
        return [str(name) for (name,) in rows]

    def _character_set(self, database: str) -> tuple[str, str]:
        with self.session() as session:
            [(character_set, collate)] = session.query(
                "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"  # noqa: S608 - likewise
                f" WHERE SCHEMA_NAME = {literal(database)}"
            )
        return str(character_set), str(collate)
