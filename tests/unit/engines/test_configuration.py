"""Configuration files as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from argosy import errors
from argosy.engines.mysql import configuration as mysql
from argosy.engines.postgresql import configuration as postgresql
from argosy.engines.redis import configuration as redis
from argosy.model.guest import Identity, Secret, Site, TlsMode

MIB = 1024 * 1024


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """With a certificate."""
    state = tmp_path / "state"
    (state / "tls").mkdir(parents=True)
    (state / "tls" / "server.crt").touch()
    return Site(Path("/usr"), tmp_path / "data", state, "127.1.2.3", 5432, 512 * MIB, 2.0, 1024 * MIB)


def render(engine: ModuleType, site: Site, overrides: dict[str, object]) -> str:
    if engine is postgresql:
        return postgresql.postgresql_conf(site, str(site.state), overrides, 17)
    if engine is mysql:
        return mysql.my_cnf(site, Path("/usr"), Path("/usr/share/mysql"), overrides)
    return redis.redis_conf(site, site.state / "redis.sock", overrides)


@pytest.mark.parametrize(
    ("engine", "lines"),
    [
        (postgresql, ["fsync = 'on'", "full_page_writes = 'on'", "synchronous_commit = 'on'"]),
        (mysql, ['innodb_flush_log_at_trx_commit = "1"', 'sync_binlog = "1"', 'innodb_doublewrite = "ON"']),
        (redis, ['appendonly "yes"', 'appendfsync "always"']),
    ],
)
def test_acknowledged_writes_are_durable(engine: ModuleType, lines: list[str], site: Site) -> None:
    assert set(lines) <= set(render(engine, site, {}).splitlines())


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        (postgresql, "listen_addresses = '127.1.2.3'"),
        (mysql, 'bind_address = "127.1.2.3"'),
        (redis, 'bind "127.1.2.3"'),
    ],
)
def test_a_server_listens_on_its_own_address_only(engine: ModuleType, line: str, site: Site) -> None:
    assert line in render(engine, site, {}).splitlines()


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        (postgresql, "fsync"),
        (postgresql, "hba_file"),
        (postgresql, "include"),
        (postgresql, "ssl"),
        (postgresql, "x = 1\ninclude"),
        (postgresql, "Port"),
        (mysql, "init-file"),
        (mysql, "init_f"),
        (mysql, "loose-init-file"),
        (mysql, "skip_name_resolve"),
        (mysql, "secure-file-priv"),
        (mysql, "!include"),
        (mysql, "a]\n[x"),
        (redis, "requirepass"),
        (redis, "port"),
        (redis, "x 1\nport"),
        (redis, "loadmodule"),
    ],
)
def test_an_override_cannot_change_what_is_ours(engine: ModuleType, name: str, site: Site) -> None:
    with pytest.raises(errors.BadRequest):
        render(engine, site, {name: "1"})


@pytest.mark.parametrize("engine", [postgresql, mysql, redis])
def test_an_overrides_value_stays_in_its_line(engine: ModuleType, site: Site) -> None:
    plain = render(engine, site, {"some_setting" if engine is not redis else "some-setting": "x"})
    nasty = render(engine, site, {"some_setting" if engine is not redis else "some-setting": "x'\"\\\nport = 1"})
    assert len(nasty.splitlines()) == len(plain.splitlines())


def test_postgresql_lets_nobody_in_without_tls(site: Site) -> None:
    lines = postgresql.pg_hba_conf(site).splitlines()
    assert lines == [
        "local all,replication os_admin,os_carrier peer map=guest",
        "host all os_admin,os_carrier all reject",
        "hostssl all all all scram-sha-256",
    ]
    basic = postgresql.pg_hba_conf(replace(site, tls=TlsMode.BASIC))
    assert "host all all all scram-sha-256" in basic.splitlines()


def test_mariadb_requires_tls_also_without_a_certificate(site: Site) -> None:
    site.certificate.unlink()
    text = render(mysql, site, {})
    assert 'require_secure_transport = "ON"' in text
    assert "ssl_cert" not in text


def test_redis_speaks_plaintext_on_the_next_port_and_only_in_mode_basic(site: Site) -> None:
    assert 'port "0"' in render(redis, site, {}).splitlines()
    basic = render(redis, replace(site, tls=TlsMode.BASIC), {}).splitlines()
    assert {'port "5433"', 'tls-port "5432"'} <= set(basic)


def test_mariadb_has_sizes_as_numbers(site: Site) -> None:
    assert 'sort_buffer_size = "2097152"' in render(mysql, site, {"sort-buffer-size": "2M"})


def test_mariadbs_identity_is_the_instances() -> None:
    text = mysql.identity_cnf(Identity("0000000a-0000-4000-8000-000000000000", 3), Path("/a/init.sql"))
    assert text == '[mariadbd]\nserver_id = 11\ngtid_domain_id = 11\ninit_file = "/a/init.sql"\n'


def test_mariadbs_log_is_a_matter_of_the_volume(site: Site) -> None:
    """Whatever is rendered anew, the data's own file has the last word on whether there is a log."""
    lines = render(mysql, site, {}).splitlines()
    assert not any(line.startswith(("log_bin =", "skip_log_bin")) for line in lines)
    assert lines[-1] == f"!include {site.data / 'log' / 'kept.cnf'}"
    assert mysql.kept(9) == '[mariadbd]\nlog_bin = "../log/binlog"\nbinlog_expire_logs_seconds = 9\n'
    assert mysql.UNLOGGED == "[mariadbd]\nskip_log_bin\n"


@pytest.mark.parametrize("name", ["log_bin", "skip-log-bin", "loose_log_bin", "skip_log_bin", "sync-binlog"])
def test_nobody_switches_mariadbs_log_by_an_override(name: str, site: Site) -> None:
    with pytest.raises(errors.BadRequest):
        render(mysql, site, {name: "1"})


def test_mariadbs_first_statements_are_one_a_line() -> None:
    lines = mysql.init_sql("os_admin", "*AB").splitlines()
    assert all(line.endswith(";") for line in lines)
    assert lines[0].startswith("SET sql_log_bin = 0")


def test_redis_keeps_the_others_when_it_gets_its_administrator() -> None:
    secret = Secret("x")
    before = "user default on nopass ~* +@all\nuser os_admin on #old ~* +@all\nuser root on #a ~* +@all\n"
    after = redis.access_list(before, "os_admin", secret)
    assert after.splitlines()[0] == "user default off"
    assert "user root on #a ~* +@all" in after
    assert "#old" not in after
    assert redis.admits(after, "os_admin", secret)
    assert not redis.admits(before, "os_admin", secret)


def test_a_line_is_not_longer_than_mariadb_reads_one(site: Site) -> None:
    """It would take the rest for a setting of its own: `skip_grant_tables`, say."""
    fill = "x" * (4094 - len('lc_time_names = "'))
    with pytest.raises(errors.BadRequest, match="too long"):
        render(mysql, site, {"lc_time_names": f"{fill}skip_grant_tables"})
    assert render(mysql, site, {"lc_time_names": fill[:3000]})


def test_postgresql_keeps_for_its_archive_what_nobody_can_change(site: Site) -> None:
    """And a server is not refused for it: groups of older releases of ours may say something else."""
    text = postgresql.postgresql_conf(site, str(site.state), {"max_slot_wal_keep_size": "-1"}, 17)
    assert f"max_slot_wal_keep_size = '{max(site.volume // 4 // 1024, 131072)}kB'" in text
    assert "summarize_wal" not in postgresql.postgresql_conf(site, str(site.state), {}, 15)
