"""Runs outlive releases: what the last release called its workflows and steps must still be understood.

python -m argosy.testing.releases > tests/durable/steps.toml      # at each release, once it is out
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from argosy.durable.workflow import Workflow


def record(workflows: Iterable[Workflow[Any]]) -> str:
    """The names that runs in flight may carry, as TOML."""
    return "\n".join(_section(workflow) for workflow in sorted(workflows, key=lambda each: each.name))


def stranded(recorded: str, workflows: Iterable[Workflow[Any]]) -> list[str]:
    """Which runs of the recorded release would find nobody who knows what to do with them, and the cure."""
    known = {(workflow.name, workflow.version): workflow for workflow in workflows}
    return [said for name, told in tomllib.loads(recorded).items() for said in _stranded(name, told, known)]


def _stranded(name: str, told: Mapping[str, Any], known: Mapping[tuple[str, int], Workflow[Any]]) -> Iterator[str]:
    workflow = known.get((name, told["version"]))
    if workflow is None:
        yield f"{name} version {told['version']} is gone: keep it registered for one release"
        return
    for step in told["steps"]:
        if step not in {*workflow.steps, *workflow.detours, *workflow.aliases}:
            yield f"{name} has no step {step} any more: name its successor with formerly={step!r} for one release"


def _section(workflow: Workflow[Any]) -> str:
    names = "".join(f'    "{name}",\n' for name in (*workflow.steps, *workflow.detours))
    return f"[{workflow.name}]\nversion = {workflow.version}\nsteps = [\n{names}]\n"


if __name__ == "__main__":
    from argosy.workflows.registry import WORKFLOWS

    sys.stdout.write(record(WORKFLOWS.values()))
