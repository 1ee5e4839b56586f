"""Every line of docs/operate/restore-by-hand.md does what it says, with the engines' own tools alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from salvors import Archive, Salvor

from argosy.engines import registry
from argosy.engines.postgresql.finder import LAYOUT

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "restore-by-hand.md"
BLOCKS = dict(re.findall(r"^```sh (\S+)\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
CHAINS = {
    "mariabackup": ("mysql", "mariabackup", "mariabackup-incremental"),
    "mysqldump": ("mysql", "mysqldump"),
    "basebackup": ("postgresql 15", "basebackup"),
    "incremental-15": ("postgresql 15", "basebackup", "incremental"),
    "incremental-17": ("postgresql 17", "basebackup", "incremental"),
    "rdb": ("redis", "rdb"),
}
SHOW = {
    "mysql": 'mariadb --no-defaults --socket=socket --skip-column-names --execute "SELECT * FROM kept.kept"',
    "postgresql": 'psql --host="$PWD" --username=os_admin --dbname=postgres --tuples-only --command="TABLE kept"',
    "redis": 'for key in "key 0" later; do redis-cli -s socket get "$key"; done',
}


def test_every_strategy_has_a_recipe() -> None:
    offered = {each.name for engine in registry.engines().values() for each in engine.strategies}
    told = set(re.findall(r"`([\w-]+)`", PAGE.read_text()))
    assert offered <= told
    assert BLOCKS.keys() == CHAINS.keys()


@pytest.mark.parametrize("recipe", CHAINS)
def test_the_recipe_restores(archive: Archive, salvor: Salvor, recipe: str) -> None:
    engine, *strategies = CHAINS[recipe]
    kept = archive.chain(engine, *strategies)
    salvor.run("export", kept[-1].backup, "--to", recipe)
    *lines, end = BLOCKS[recipe].strip().splitlines()
    name = kept[0].engine
    programs = f"{LAYOUT.place(archive.found(engine).root)}:" if name == "postgresql" else ""
    said = salvor.script([*lines, SHOW[name], end], recipe, f"{programs}/usr/sbin:/usr/bin:/sbin:/bin")
    assert all(f"value {number}" in said for number in range(len(kept))), said
    assert "too late" not in said
