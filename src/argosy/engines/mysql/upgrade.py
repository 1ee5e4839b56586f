"""Takes data of an older MariaDB of the same series: the new server reads them as they are.

`mariadb-upgrade` has nothing to do there, and says so: it compares the first two numbers of the versions.
"""

from __future__ import annotations

from argosy import errors
from argosy.engines.mysql.accounts import MysqlAccounts

UNREADABLE = """
SELECT CONCAT(table_schema, '.', table_name, ': ', table_comment) FROM information_schema.tables
 WHERE table_type = 'BASE TABLE' AND engine IS NULL
"""
"""Tables that the server knows of and cannot open: it opens each to answer, and has its cause as the comment."""


class MysqlUpgrades(MysqlAccounts):
    """The facet Upgrades, but for the process."""

    def convert(self) -> None:
        """Nothing is needed."""

    def examine(self) -> None:
        with self.session() as session:
            lost = [str(table) for (table,) in session.query(UNREADABLE)]
        if lost:
            raise errors.GuestFailed(f"after the upgrade there are tables that cannot be read: {'; '.join(lost[:5])}")

    def measure(self) -> None:
        """Statistics are kept with the tables, and are still good."""
