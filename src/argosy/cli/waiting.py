"""Waits for an operation and shows its steps as they happen, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

import click

from argosy import errors
from argosy.cli import output
from argosy.client import words
from argosy.client.resources import Client, Document


class OperationFailed(errors.Broken):
    """the operation failed"""


def until_done(client: Client, instance_id: str, operation: str) -> None:
    """Until the newest operation of this name has ended. Raises OperationFailed with its cause."""
    follow(client.instances.follow(instance_id), operation)


def follow(news: Iterable[Sequence[Document]], operation: str) -> None:
    """As `until_done`, of whatever the operations are told."""
    steps = Steps(sys.stderr)
    for operations in news:
        current = next(each for each in operations if each["operation"] == operation)
        steps.show(current)
        if current["state"] != "active":
            _check(current)
            return


def until_gone(client: Client, instance_id: str, operation: str) -> None:
    """Until there is no such instance any more, by what takes it away. Raises OperationFailed with the cause when it
    stays.
    """
    steps = Steps(sys.stderr)
    try:
        for operations in client.instances.follow(instance_id):
            current = next(each for each in operations if each["operation"] == operation)
            steps.show(current)
            _check(current)
    except errors.NotFound:
        steps.clear()


def tell(operations: Sequence[Document], form: str) -> None:
    """Each with its steps."""
    if form != "table":
        output.rows(operations, (), form)
        return
    for operation in operations:
        seconds = f"{operation['seconds']:.3f} s" if "seconds" in operation else ""
        click.echo(f"{operation['started']}  {operation['operation']}  {operation['state']}  {seconds}".rstrip())
        for step in operation["steps"]:
            click.echo(f"  {line(step)}")
        if "progress" in operation:
            click.echo(f"  {words.pace(operation['progress'])}")
        if "error" in operation:
            click.echo(f"  error: {operation['error']}")


def _check(operation: Document) -> None:
    if operation["state"] in ("failed", "cancelled"):
        cause = operation.get("error") or f"it was {operation['state']}"
        raise OperationFailed(f"{operation['operation']}: {cause}")


@dataclass
class Steps:
    """Each step on a line of its own once it has ended; on a terminal the one under way below them, renewed."""

    out: TextIO
    shown: set[tuple[str, int]] = field(default_factory=set)

    def show(self, operation: Document) -> None:
        self.clear()
        for position, step in enumerate(operation["steps"]):
            key = (operation["id"], position)
            if "ended" in step and key not in self.shown:
                self.shown.add(key)
                self.out.write(f"  {line(step)}\n")
        under_way = [step for step in operation["steps"] if "ended" not in step]
        if under_way and self.out.isatty():
            told = "progress" in operation and words.pace(operation["progress"])
            self.out.write(f"  {line({**under_way[-1], 'waiting_for': told} if told else under_way[-1])}"[:79])
        self.out.flush()

    def clear(self) -> None:
        """Take away the line of the step under way."""
        if self.out.isatty():
            self.out.write("\r\033[K")


def line(step: Document) -> str:
    if "ended" not in step:
        return f"{step['name']:14} … {output.plain(step.get('waiting_for', ''))}".rstrip()
    tries = f" after {step['attempts']} attempts" if step["attempts"] > 1 else ""
    error = f": {output.plain(step['error'])}" if "error" in step else ""
    return f"{step['name']:14} {step['state']:6} {step['seconds']:8.3f} s{tries}{error}"
