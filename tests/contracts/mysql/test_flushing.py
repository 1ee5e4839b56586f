"""Servers of the MySQL family that write changed pages down before a snapshot."""

from __future__ import annotations

import uuid
from pathlib import Path

from argosy.engines.mysql import flushing
from argosy.testing.hands import Hands
from argosy.testing.mysql import Handy, master
from argosy.testing.servers import Server


class Flushing(Handy):
    """A driver to which few pages are fewer."""

    def settings(self) -> dict[str, str]:
        with self.session() as session:
            return {name: flushing._value(session, name) for name in flushing.HURRIED}

    def dirty(self) -> int:
        with self.session() as session:
            return flushing._dirty(session)

    def flush_nearly_all(self) -> None:
        flushing.FEW = 20
        self.flush()

    def hurry(self) -> None:
        """And never stop."""
        self._session = self.connect(20)
        self._hurrying = flushing._hurried(self._session, Path(self.site.state / "flush.json"))
        self._hurrying.__enter__()


def test_what_is_changed_is_written_down_and_the_server_is_as_before(primary: Server) -> None:
    hands, tenant = Hands(Flushing, primary.site), master(primary)
    tenant.write(f"{uuid.uuid4()}", "first")
    tenant.run("CREATE TABLE IF NOT EXISTS kept.large (text LONGTEXT)")
    tenant.run("INSERT INTO kept.large VALUES (REPEAT('x', 8000000))")
    before = hands.call("settings")
    assert hands.call("dirty") > 100
    hands.call("flush_nearly_all")
    assert hands.call("dirty") <= 20
    assert hands.call("settings") == before
    tenant.run("DROP TABLE kept.large")
    tenant.close()
    hands.close()


def test_what_a_killed_one_has_set_is_taken_back_by_the_next(primary: Server) -> None:
    hands, killed, tenant = Hands(Flushing, primary.site), Hands(Flushing, primary.site), master(primary)
    before = hands.call("settings")
    killed.call("hurry")
    killed._process.kill()
    killed._process.join()
    tenant.write(f"{uuid.uuid4()}", "meanwhile")
    assert hands.call("settings") != before
    hands.call("flush")
    assert hands.call("settings") == before
    assert not (primary.site.state / "flush.json").exists()
    tenant.close()
    hands.close()
