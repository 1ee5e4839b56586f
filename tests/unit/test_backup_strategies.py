"""Which strategy takes a backup, by what was asked for and what there is."""

from __future__ import annotations

import dataclasses

import pytest

from argosy import errors
from argosy.engines import registry
from argosy.engines.backups import SNAPSHOT, Strategy
from argosy.engines.base import Engine
from argosy.workflows import strategies
from argosy.workflows.strategies import Wish

STREAM = Strategy("stream", "the files, while the server runs")
ADDED = Strategy("added", "what changed", parents=frozenset({"stream", "added"}), restored_with="stream")
COPY = Strategy(SNAPSHOT, "a copy of the volume", offline=True)
SQL = Strategy("sql", "statements", logical=True)


def engine(*known: Strategy) -> Engine:
    return dataclasses.replace(registry.get("postgresql"), strategies=known)


EVERY = engine(STREAM, ADDED, COPY, SQL)


@pytest.mark.parametrize(
    ("known", "wish", "chosen"),
    [
        (EVERY, Wish(), STREAM),
        (EVERY, Wish(snapshots=True), STREAM),  # nothing could be added to a snapshot later
        (engine(STREAM, COPY), Wish(snapshots=True), COPY),
        (engine(STREAM, COPY), Wish(snapshots=True, small=True), STREAM),
        (engine(STREAM, COPY), Wish(), STREAM),
        (engine(COPY, SQL), Wish(), SQL),
        (engine(COPY, SQL), Wish(snapshots=True, small=True), SQL),
        (EVERY, Wish(preferred="sql"), SQL),
        (EVERY, Wish(preferred="sql", asked="stream"), STREAM),
        (EVERY, Wish(preferred=SNAPSHOT), STREAM),  # which cannot be had
        (EVERY, Wish(preferred="forgotten"), STREAM),
        (EVERY, Wish(asked=SNAPSHOT, snapshots=True), COPY),
        (EVERY, Wish(parent="stream"), ADDED),
        (EVERY, Wish(parent="added", asked="stream", preferred="sql"), ADDED),
        (EVERY, Wish(parent="added", asked="added"), ADDED),
    ],
)
def test_chosen(known: Engine, wish: Wish, chosen: Strategy) -> None:
    assert strategies.choose(known, wish) is chosen


@pytest.mark.parametrize(
    ("known", "wish", "kind", "words"),
    [
        (engine(), Wish(), errors.NotSupported, "does not support backups"),
        (EVERY, Wish(asked="tape"), errors.BadRequest, "choose one of stream, added, snapshot, sql"),
        (EVERY, Wish(asked="added"), errors.BadRequest, "parent_id"),
        (EVERY, Wish(asked=SNAPSHOT), errors.NotSupported, "choose one of stream, sql"),
        (engine(COPY), Wish(), errors.NotSupported, "no snapshots"),
        (EVERY, Wish(parent="sql"), errors.BadRequest, "take one by added or stream first"),
        (engine(SQL), Wish(parent="sql"), errors.BadRequest, "take a full one"),
        (
            engine(STREAM, ADDED, COPY, Strategy("more", "", parents=frozenset({SNAPSHOT}))),
            Wish(parent="stream", asked="more"),
            errors.BadRequest,
            "choose one of added",
        ),
    ],
)
def test_refused(known: Engine, wish: Wish, kind: type[errors.ArgosyError], words: str) -> None:
    with pytest.raises(kind, match=words):
        strategies.choose(known, wish)
