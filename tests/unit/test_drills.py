"""What a drill learns of a backup when something goes wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors
from argosy.settings import BadSetting
from argosy.stores.base import StoreRefused, StoreUnreachable
from argosy.workflows import drill_backup
from argosy.workflows.regions import RegionUnusable


@pytest.mark.parametrize("kind", [StoreUnreachable, StoreRefused, BadSetting, RegionUnusable, errors.CloudFailed])
def test_nothing_is_learnt_of_a_backup_that_could_not_be_looked_at(kind: type[errors.ArgosyError]) -> None:
    ctx: Any = SimpleNamespace(memory={})
    with pytest.raises(kind):
        drill_backup._learn(ctx, kind())
    assert ctx.memory == {}


@pytest.mark.parametrize(
    ("kind", "certain"), [(errors.NotFound, True), (errors.Conflict, True), (errors.GuestFailed, False)]
)
def test_what_the_store_says_is_certain(kind: type[errors.ArgosyError], *, certain: bool) -> None:
    ctx: Any = SimpleNamespace(memory={})
    drill_backup._learn(ctx, kind("gone"))
    assert ctx.memory == {"wrong": "gone", "certain": certain}
