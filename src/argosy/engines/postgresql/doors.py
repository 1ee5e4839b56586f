"""Who may come in how, as the server reads it from its files; and having it read them again."""

from __future__ import annotations

import time

from argosy import errors
from argosy.engines import files
from argosy.engines.postgresql import configuration, wire
from argosy.engines.postgresql.accounts import PostgresqlAccounts, unix_user

RELOAD_SECONDS = 5.0


class PostgresqlDoors(PostgresqlAccounts):
    def write_doors(self) -> bool:
        """Whether they were others before: a release of ours may open one that those before did not have."""
        wanted = {
            self.site.state / "pg_hba.conf": configuration.pg_hba_conf(self.site),
            self.site.state / "pg_ident.conf": configuration.pg_ident_conf(unix_user()),
        }
        changed = {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
        files.write_together(changed)
        return bool(changed)

    def reload(self) -> bool:
        """Have the server read its files again; true when that leaves settings that wait for a restart.

        A session hears of it after the postmaster, so what it has seen holds for every later connection.
        """
        with self.session() as session:
            [(before,)] = session.query("SELECT pg_conf_load_time() FROM pg_reload_conf()")
            end = time.monotonic() + RELOAD_SECONDS
            while session.query("SELECT pg_conf_load_time()") == [(before,)]:
                if time.monotonic() > end:
                    raise errors.GuestFailed(f"PostgreSQL did not take its new configuration: {_complaints(session)}")
                time.sleep(0.002)
            return bool(session.query("SELECT 1 FROM pg_settings WHERE pending_restart"))


def _complaints(session: wire.Connection) -> str:
    rows = session.query("SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL")
    return "; ".join(f"{name}: {error}" for name, error in rows) or "it gives no reason"
