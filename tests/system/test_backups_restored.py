"""Backups of every engine on the real product: taken, built upon, restored into new instances, deleted."""

from __future__ import annotations

import pytest
from keepers import Keeper
from owners import ENGINES, Owner


@pytest.fixture
def keeper(owner: Owner) -> Keeper:
    return Keeper(owner)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rows_are_there(keeper: Keeper, engine: str) -> None:
    instance = keeper.owner.ready(engine)
    keeper.write(instance, engine, 100)
    backup = keeper.backed_up(instance)
    keeper.write(instance, engine, 50)
    restored = keeper.restored(backup, engine)
    assert keeper.rows(restored, engine) == 100
    assert keeper.rows(instance, engine) == 150
