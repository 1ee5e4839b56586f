"""The dashboard and the alert rules load, and name only metrics and labels that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.model.metrics import CATALOGUE, Form

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "argosy-rules.yml"
DASHBOARD = DEPLOY / "grafana" / "argosy.json"
SERIES = {
    name + suffix
    for name, metric in CATALOGUE.items()
    for suffix in (("_bucket", "_sum", "_count") if metric.form is Form.HISTOGRAM else ("",))
}
FUNCTIONS = {
    *("by", "and", "or", "sum", "max", "rate", "time", "delta", "increase", "histogram_quantile", "predict_linear"),
    *("label_values", "up"),
}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def dashboard() -> Any:
    return json.loads(DASHBOARD.read_text())


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ()))
    yield from (each["definition"] for each in dashboard()["templating"]["list"] if "definition" in each)


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_name_exists(expression: str) -> None:
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]', "", expression)
    selectors = re.sub(r"\{[^}]*\}|\b(?:by) \([^)]*\)", "", bare)
    names = set(re.findall(r"[a-zA-Z_]\w*", selectors)) - {"instance_name"}
    assert names <= SERIES | FUNCTIONS
    assert names & SERIES or "up{" in expression


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_label_exists(expression: str) -> None:
    for name, matchers in re.findall(r"(argosy_\w+)\{([^}]*)\}", expression):
        metric = CATALOGUE[re.sub(r"_(bucket|sum|count)$", "", name) if name not in CATALOGUE else name]
        asked = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers))
        assert asked <= {*metric.labels, "le"}


@pytest.mark.parametrize("expression", list(expressions()))
def test_brackets_are_closed(expression: str) -> None:
    open_ones: list[str] = []
    for character in re.sub(r'"[^"]*"', "", expression):
        if character in "([{":
            open_ones.append(character)
        elif character in ")]}":
            assert open_ones, expression
            assert open_ones.pop() + character in ("()", "[]", "{}")
    assert not open_ones


def test_rules_have_what_prometheus_asks_for() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert rule["annotations"]["summary"]


def test_promtool_takes_them() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not on this machine")
    subprocess.run([program, "check", "rules", RULES], check=True)


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        assert place["x"] + place["w"] <= 24
        taken |= cells
