"""What a person does with one client, command after command, each said to succeed or to fail in a certain way."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from public_clients import Clients, Ended

from argosy import errors
from argosy.client.resources import Client, Document
from argosy.testing.waiting import eventually


@dataclass(frozen=True)
class Step:
    """One command. `{name}` in its arguments is what an earlier step kept under that name, or what the stage knows."""

    command: str
    arguments: str = ""
    shows: tuple[str, ...] = ()
    """must be found in what the client says, as regular expressions"""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """name -> regular expression whose group is kept"""
    settles: str = ""
    """name of the instance that is waited for afterwards"""
    cannot: str = ""
    """why it has to fail: the row says so. `shows` is then what the client has to say"""
    options: str = ""
    """before the command: `--debug`"""
    admin: bool = False

    @property
    def called(self) -> str:
        return " ".join(filter(None, (self.options, self.command, self.arguments)))


@dataclass(frozen=True)
class Row:
    """How a command, a method or a call went."""

    client: str
    command: str
    called: str
    cannot: str = ""
    """why it had to fail"""
    wrong: str = ""
    """empty: it went as it should"""


@dataclass
class Stage:
    """Where stories are played: the clients of two people, and what is known of the deployment."""

    demo: Clients
    admin: Clients
    api: Client
    """of the same project as `demo`"""
    known: dict[str, str]


def play(client: str, steps: tuple[Step, ...], stage: Stage) -> list[Row]:
    """Every step, also after one that went wrong."""
    stage = Stage(stage.demo, stage.admin, stage.api, dict(stage.known))
    return [Row(client, each.command, each.called, each.cannot, _wrong(client, each, stage)) for each in steps]


def _wrong(client: str, step: Step, stage: Stage) -> str:
    try:
        arguments = shlex.split(step.called.format_map(stage.known))
        ended = (stage.admin if step.admin else stage.demo).said(client, *arguments)
        _judge(step, ended)
        stage.known |= {name: _found(pattern, ended) for name, pattern in step.keeps.items()}
        if step.settles:
            eventually(at_rest(stage.api, step.settles), within=60)
    except (AssertionError, KeyError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _judge(step: Step, ended: Ended) -> None:
    said = ended.out + ended.err
    assert (ended.status != 0) == bool(step.cannot), f"ended with {ended.status}: {said[-2000:]}"
    missing = [each for each in step.shows if not re.search(each, said)]
    assert not missing, f"{missing} not in: {said[-2000:]}"


def _found(pattern: str, ended: Ended) -> str:
    found = re.search(pattern, ended.out)
    assert found, f"{pattern} not in: {ended.out}"
    return found[1]


def at_rest(api: Client, name: str) -> Callable[[], bool]:
    """Nothing is under way with the instance, nothing failed, and it is well; or it is gone."""

    def look() -> bool:
        listed = [each for each in api.instances.list() if name in (each["name"], each["id"])]
        if not listed:
            return True
        assert not _under_way(api, listed[0]["id"])
        assert not _backed_up(api, listed[0]["id"])
        assert "fault" not in listed[0], listed[0]["fault"]
        assert "HEALTHY" in listed[0]["operating_status"] or listed[0]["status"] == "RESTART_REQUIRED", listed[0]
        return True

    return look


def _backed_up(api: Client, instance: str) -> list[Document]:
    """Backups that are being made: the instance's status does not always tell."""
    told = api.session.get("/backups", instance_id=instance)["backups"]
    return [each for each in told if each["status"] in ("NEW", "BUILDING", "SAVING")]


def _under_way(api: Client, instance: str) -> list[Document]:
    try:
        told = api.instances.operations(instance)["operations"]
    except errors.NotFound:  # deleted since it was listed
        return []
    return [each for each in told if each["state"] == "active"]
