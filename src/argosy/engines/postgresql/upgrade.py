"""Takes data of an older PostgreSQL with pg_upgrade, which leaves them as they are and makes its own beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

from argosy import errors
from argosy.engines import files, programs
from argosy.engines.postgresql import ENGINE, configuration, finder, survey
from argosy.engines.postgresql.accounts import ADMINISTRATOR, HOME, MASTER, PostgresqlAccounts, unix_user
from argosy.engines.postgresql.finder import LAYOUT
from argosy.engines.postgresql.survey import Survey

CLONE = 0x40049409
"""FICLONE: share the blocks of another file of the same file system (ioctl_ficlone(2))"""
START_SECONDS = "3600"
"""that the old server may take to recover, should it have been killed"""
WORDS = 2000
"""letters of what pg_upgrade says that are told"""

ADMINISTERS_ROLES = 160000
"""From this release on, who has CREATEROLE changes only the roles that they were made an administrator of."""
KEEP_ADMINISTERING = f"""
DO $$ DECLARE role name; BEGIN
FOR role IN SELECT rolname FROM pg_roles
WHERE NOT rolsuper AND rolname !~ '^pg_' AND NOT pg_has_role(oid, '{ENGINE.master}', 'MEMBER') LOOP
EXECUTE format('GRANT %I TO {ENGINE.master} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE', role); END LOOP; END $$
"""
"""Before it, that were all but superusers: the master keeps those that it had."""


class PostgresqlUpgrades(PostgresqlAccounts):
    """The facet Upgrades."""

    def convert(self) -> None:
        """The old cluster stays in its place until the new one is whole, and beside it then."""
        if self.site.before is None:
            return
        ours = finder.release(LAYOUT.place(self.site.root))
        if not self.cluster.exists():
            self._swap()
        if (self.cluster / "PG_VERSION").read_text().strip() == ours:
            return
        with programs.alone(self.site.state / "upgrade.lock") as held:
            self._convert(LAYOUT.place(self.site.before), held)
        self._swap()

    def examine(self) -> None:
        if not self._survey.exists():
            self._enter_every_database()
            return
        before = json.loads(self._survey.read_text())
        if lost := survey.missing(self.session, HOME, before):
            raise errors.GuestFailed(f"after the upgrade there is not what was there before: {'; '.join(lost[:5])}")
        with self.session() as session:
            session.query(MASTER)
            if before["version"] < ADMINISTERS_ROLES:
                session.query(KEEP_ADMINISTERING)

    def measure(self) -> None:
        if not self._survey.exists():
            return
        try:
            programs.run(
                LAYOUT.place(self.site.root) / "vacuumdb", "--all", "--analyze-in-stages", "--no-password", "--quiet",
                f"--host={self.socket.parent}", f"--port={self.site.port}", f"--username={ADMINISTRATOR}",
            )  # fmt: skip
        except errors.GuestFailed as error:
            raise errors.Unavailable(error.message) from error
        shutil.rmtree(self._old, ignore_errors=True)
        self._survey.unlink()

    @property
    def cluster(self) -> Path:
        return self.site.data / "db"

    @property
    def _old(self) -> Path:
        return self.site.data / "db.before"

    @property
    def _new(self) -> Path:
        return self.site.data / "db.new"

    @property
    def _survey(self) -> Path:
        return self.site.state / "survey.json"

    def _enter_every_database(self) -> None:
        with self.session() as session:
            names = session.query(survey.DATABASES)
        for (name,) in names:
            with self.session(str(name)) as session:
                session.query(survey.OBJECTS)

    def _swap(self) -> None:
        """Two renames; between them there is no cluster, and the next call does the second."""
        if self.cluster.exists():
            self.cluster.rename(self._old)
        self._new.rename(self.cluster)
        files.sync_directory(self.site.data)

    def _convert(self, old: Path, held: int) -> None:
        shutil.rmtree(self._new, ignore_errors=True)
        shutil.rmtree(self._old, ignore_errors=True)
        before = self._look_at_the_old(old, held)
        self._initialise_like(before)
        options = self._only_us()
        for check in (("--check",), ()):
            self._pg_upgrade(old, options, held, *check)

    def _look_at_the_old(self, old: Path, held: int) -> Survey:
        """Its own server tells, and leaves it cleanly shut down whatever became of it before."""
        with self._served(old, held):
            found = survey.take(self.session, HOME)
        files.write(self._survey, json.dumps(found))
        return found

    @contextmanager
    def _served(self, old: Path, held: int) -> Iterator[None]:
        """By the old server, for nobody but us. Raises GuestFailed with its words."""
        log = self.site.state / "upgrade.log"
        log.unlink(missing_ok=True)
        pg_ctl = (old / "pg_ctl", f"--pgdata={self.cluster}", "--wait", f"--timeout={START_SECONDS}", "--silent")
        words = f"{self._only_us()} -p {self.site.port} -c unix_socket_directories={self.socket.parent}"
        try:
            programs.run(*pg_ctl, f"--options={words}", f"--log={log}", "start", held=(held,))
        except errors.GuestFailed as error:
            said = log.read_text(errors="replace")[-WORDS:] if log.exists() else error.message
            raise errors.GuestFailed(f"the old server does not start: {said.strip()}") from error
        try:
            yield
        finally:
            programs.run(*pg_ctl, "--mode=fast", "stop", held=(held,))

    def _only_us(self) -> str:
        """Options of both servers. The old one's own files say who comes in, and only its tenants' settings how much
        memory it takes: neither is asked.
        """
        files.write(self.site.state / "upgrade_hba.conf", f"local all {ADMINISTRATOR} peer map=guest\n")
        files.write(self.site.state / "pg_ident.conf", configuration.pg_ident_conf(unix_user()))
        share = configuration.shares(self.site.memory)
        told = {
            "hba_file": self.site.state / "upgrade_hba.conf",
            "ident_file": self.site.state / "pg_ident.conf",
            "listen_addresses": "",
            "shared_buffers": f"{share.shared_buffers // configuration.KIB}kB",
            "max_connections": 20,
            "max_locks_per_transaction": 1000,
        }
        return " ".join(f"-c {name}={value}" for name, value in told.items())

    def _initialise_like(self, before: Survey) -> None:
        programs.run(
            LAYOUT.place(self.site.root) / "initdb", f"--pgdata={self._new}", f"--username={ADMINISTRATOR}",
            f"--encoding={before['encoding']}", f"--lc-collate={before['collate']}", f"--lc-ctype={before['ctype']}",
            *(("--data-checksums",) if before["checksums"] else ()),
            "--auth-local=peer", "--auth-host=reject", "--no-instructions", "--no-sync",
        )  # fmt: skip

    def _pg_upgrade(self, old: Path, options: str, held: int, *more: str) -> None:
        """Raises Unprocessable with its words."""
        new = LAYOUT.place(self.site.root)
        try:
            programs.run(
                new / "pg_upgrade", f"--old-bindir={old}", f"--new-bindir={new}", f"--old-datadir={self.cluster}",
                f"--new-datadir={self._new}", f"--username={ADMINISTRATOR}", f"--socketdir={self.socket.parent}",
                f"--old-port={self.site.port}", f"--new-port={self.site.port}", f"--old-options={options}",
                f"--new-options={options}", "--clone" if _clones(self.site.data) else "--copy", *more,
                cwd=self.site.state, held=(held,),
            )  # fmt: skip
        except errors.GuestFailed as error:
            raise errors.Unprocessable(f"{error.message.strip()} {self._details()}".strip()) from error

    def _details(self) -> str:
        """Of lists that its last words only name."""
        lists = sorted(self._new.glob("pg_upgrade_output.d/*/*.txt"))
        return " ".join(" ".join(each.read_text(errors="replace").split()) for each in lists)[:WORDS]


def _clones(directory: Path) -> bool:
    """Whether files can share their blocks there: then a conversion takes no room, however large the tables are."""
    one, other = directory / "clone.1", directory / "clone.2"
    try:
        one.write_bytes(b"x")
        with one.open("rb") as source, other.open("wb") as target:
            ioctl(target, CLONE, source.fileno())
    except OSError:
        return False
    else:
        return True
    finally:
        for each in (one, other):
            each.unlink(missing_ok=True)
