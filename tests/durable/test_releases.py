"""Runs of the last release are understood by this one."""

from __future__ import annotations

from pathlib import Path

from argosy.durable.workflow import Context, Outcome, Workflow
from argosy.testing import releases
from argosy.workflows.registry import WORKFLOWS

RECORD = Path(__file__).with_name("steps.toml")


def test_no_run_of_the_last_release_is_stranded() -> None:
    assert releases.stranded(RECORD.read_text(), WORKFLOWS.values()) == []


def test_what_is_gone_is_told() -> None:
    before: Workflow[None] = Workflow("work")
    after: Workflow[None] = Workflow("work")

    @before.step(detour="tidy")
    def kept(_ctx: Context[None]) -> Outcome: ...

    @before.step()
    def renamed(_ctx: Context[None]) -> Outcome: ...

    @before.detour()
    def tidy(_ctx: Context[None]) -> Outcome: ...

    after.step()(kept)
    recorded = releases.record([before])
    assert releases.stranded(recorded, [before]) == []
    assert [line.split(":")[0] for line in releases.stranded(recorded, [after])] == [
        "work has no step renamed any more",
        "work has no step tidy any more",
    ]

    @after.step(formerly="renamed")
    def new_name(_ctx: Context[None]) -> Outcome: ...

    after.detour()(tidy)
    assert releases.stranded(recorded, [after]) == []
    after.version = 2
    assert releases.stranded(recorded, [after]) == ["work version 1 is gone: keep it registered for one release"]
