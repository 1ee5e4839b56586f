"""Brings one Redis server to life and keeps it configured."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.engines import files, parameters, programs
from argosy.engines.redis import configuration, wire
from argosy.engines.redis.accounts import ADMINISTRATOR, RedisAccounts
from argosy.engines.redis.backups import RedisBackups
from argosy.engines.redis.finder import LAYOUT, server
from argosy.engines.redis.history import RedisHistory
from argosy.engines.redis.logs import RedisLogs
from argosy.engines.redis.upgrade import RedisUpgrades
from argosy.model.guest import Health, Identity, Probe, Secret, ServiceSpec, TlsMode

PROBE_SECONDS = 1.5
IMMUTABLE = "immutable config"
"""in what Redis says of a setting that only a restart changes"""

METRICS: Mapping[str, str] = {
    "connected_clients": "connections",
    "maxclients": "max_connections",
    "uptime_in_seconds": "uptime_seconds",
    "total_commands_processed": "commands",
    "total_net_input_bytes": "received_bytes",
    "total_net_output_bytes": "sent_bytes",
    "used_memory": "memory_bytes",
    "maxmemory": "max_memory_bytes",
    "keyspace_hits": "hits",
    "keyspace_misses": "misses",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
    "rejected_connections": "rejected_connections",
}
"""Our name for each of Redis's."""


class RedisDriver(RedisUpgrades, RedisHistory, RedisBackups, RedisLogs, RedisAccounts):
    def install(self) -> None:
        self._data.mkdir(mode=0o700, exist_ok=True)
        files.sync_directory(self.site.data)

    def adopt(self, identity: Identity) -> None:  # noqa: ARG002 - a secret of its own is all that tells two apart
        if not self.secret.exists():
            files.write(self.secret, Secret.generate().value)
        before = self._access_list.read_text(encoding="utf-8") if self._access_list.exists() else ""
        secret = Secret(self.secret.read_text(encoding="ascii"))
        if not configuration.admits(before, ADMINISTRATOR, secret):
            self._refuse_running()
            files.write(self._access_list, configuration.access_list(before, ADMINISTRATOR, secret))

    def configure(self, overrides: Mapping[str, object]) -> bool:
        chosen = files.chosen(overrides)
        files.write(self._configuration, configuration.redis_conf(self.site, self.socket, chosen))
        if not files.listening(self.socket):
            return False
        with self.session() as session:
            wanted = {**_own(overrides.keys() - chosen.keys()), **configuration.merged(self.site, self.socket, chosen)}
            late = [name for name, value in wanted.items() if not _applied(session, name, value, name in chosen)]
        return bool(late)

    def service(self) -> ServiceSpec:
        program = server(LAYOUT.place(self.site.root))
        return ServiceSpec((str(program), str(self._configuration)), environment=programs.ENVIRONMENT)

    def secluded(self) -> ServiceSpec:
        service = self.service()
        encrypted = () if self.site.tls is TlsMode.OFF else ("--tls-port", "0")
        return replace(service, argv=(*service.argv, "--port", "0", *encrypted))

    def probe(self) -> Probe:
        try:
            with self.connect(PROBE_SECONDS) as session:
                facts = _facts(str(session.command("INFO", "everything")))
        except TimeoutError:
            return Probe(Health.BLOCKED, f"Redis did not answer within {PROBE_SECONDS} s")
        except (OSError, errors.GuestFailed) as error:
            return Probe(Health.STARTING, str(error))
        except wire.ServerError as error:
            return Probe(Health.STARTING if str(error).startswith("LOADING") else Health.BLOCKED, str(error))
        metrics = {ours: float(facts[theirs]) for theirs, ours in METRICS.items() if theirs in facts}
        metrics["keys"] = sum(map(_keys, facts.items()))
        loading = facts.get("loading") == "1"
        version = facts.get("valkey_version") or facts.get("redis_version", "")
        return Probe(Health.STARTING if loading else Health.HEALTHY, "", version, metrics)

    def reload_certificates(self) -> None:
        """One command for the pair: a key never meets the other's certificate."""
        if not files.listening(self.socket):
            return
        with self.session() as session:
            session.command(
                "CONFIG", "SET",
                "tls-cert-file", str(self.site.certificate), "tls-key-file", str(self.site.private_key),
            )  # fmt: skip

    def ask_for_tls(self, connection: socket.socket) -> bool:  # noqa: ARG002 - the port speaks nothing else
        return True

    @property
    def _data(self) -> Path:
        return self.site.data / "db"

    @property
    def _access_list(self) -> Path:
        return self._data / "users.acl"

    @property
    def _configuration(self) -> Path:
        return self.site.state / "redis.conf"

    def _refuse_running(self) -> None:
        if files.listening(self.socket):
            raise errors.GuestFailed(f"Redis runs on {self._data}: its administrator cannot change now")


def _applied(session: wire.Connection, name: str, value: str, chosen: bool) -> bool:
    """Whether the running server has the value, now or since before; what cannot change waits for a restart.

    Raises Unprocessable where somebody chose a value that is none.
    """
    if session.command("CONFIG", "GET", name) == [name, value]:
        return True
    try:
        session.command("CONFIG", "SET", name, value)
    except wire.ServerError as error:
        if chosen and IMMUTABLE not in str(error):
            raise errors.Unprocessable(str(error)) from error
        return False
    return True


def _own(names: Iterable[str]) -> dict[str, str]:
    """What Redis itself says; it has no word for that."""
    declared = parameters.declared("redis")
    known = {name: declared[name].default for name in names if name in declared}
    return {name: configuration.text("" if value is None else value) for name, value in known.items()}


def _keys(fact: tuple[str, str]) -> float:
    """Of a line such as db0:keys=5,expires=0,avg_ttl=0."""
    found = re.fullmatch(r"keys=(\d+),.*", fact[1]) if fact[0].startswith("db") else None
    return float(found[1]) if found else 0.0


def _facts(info: str) -> dict[str, str]:
    lines = (line.partition(":") for line in info.splitlines())
    return {name: value for name, colon, value in lines if colon}
