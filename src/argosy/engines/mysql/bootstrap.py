"""Makes an empty directory into a data directory of MariaDB: its system tables, and no account that can log in."""

from __future__ import annotations

from pathlib import Path

from argosy.engines import programs
from argosy.engines.mysql import configuration
from argosy.engines.mysql.finder import LAYOUT, SYSTEM_TABLES, base, share

SCRIPTS = (
    SYSTEM_TABLES,
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
)
"""What `mariadb-install-db` feeds to the server, in its order. The script itself wants a shell and a host name."""

BEFORE = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket = NULL;\n"

AFTER = "DELETE FROM mysql.global_priv WHERE User IN ('root', '');\nDELETE FROM mysql.proxies_priv;\n"


def build(root: Path, directory: Path) -> None:
    """Nothing is synced on the way: who calls syncs when all is there."""
    tables = share(root)
    script = "".join((tables / name).read_text(encoding="utf-8") for name in SCRIPTS)
    programs.run(
        LAYOUT.place(root) / "mariadbd",
        "--no-defaults",
        "--bootstrap",
        "--silent-startup",
        f"--basedir={base(root)}",
        f"--lc-messages-dir={tables}",
        f"--datadir={directory}",
        f"--tmpdir={directory}",
        f"--innodb-log-file-size={configuration.TEMPLATE_LOG_BYTES}",
        "--innodb-flush-method=nosync",
        "--innodb-doublewrite=OFF",
        "--innodb-fast-shutdown=0",
        "--enforce-storage-engine=",
        "--log-warnings=0",
        stdin=BEFORE + script + AFTER,
    )
    upgraded = (
        f"{programs.ask(LAYOUT.place(root) / 'mariadbd', '--version').partition('Ver ')[2].partition('-')[0]}-MariaDB"
    )
    (directory / "mysql_upgrade_info").write_text(upgraded, encoding="ascii")
