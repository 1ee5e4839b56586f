"""Takes data of an older server: a later one of its series, and Valkey after Redis, reads them as they are."""

from __future__ import annotations

from argosy.engines.redis.accounts import RedisAccounts


class RedisUpgrades(RedisAccounts):
    """The facet Upgrades, but for the process."""

    def convert(self) -> None:
        """Nothing is needed."""

    def examine(self) -> None:
        """A server that answers has loaded every key: it does not start with less."""
        with self.session() as session:
            session.command("DBSIZE")

    def measure(self) -> None:
        """There are no statistics."""
