"""How each process is, by really asking it."""

from __future__ import annotations

import http.client
import os
import pwd
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from argosy import errors
from argosy.launcher import forks, processes
from argosy.launcher.processes import Process
from argosy.settings import Settings

PATIENCE = 2.0
"""Seconds that a process has to answer."""


class State(StrEnum):
    HEALTHY = "healthy"
    SILENT = "silent"
    """it runs and does not answer"""
    DOWN = "down"
    """it does not run"""
    UNKNOWN = "unknown"
    """it runs, and only root may ask how it is"""


@dataclass(frozen=True)
class Report:
    role: str
    address: str
    health: State
    pid: int | None = None
    since: float | None = None
    """wall-clock time of its start"""
    message: str = ""
    """why it is not healthy, or what will need somebody before long"""


@dataclass(frozen=True)
class Service:
    role: str
    process: str
    """role of the process that offers it"""
    address: str
    ask: Callable[[Process], str]
    """what is wrong, or nothing"""
    remark: Callable[[], str] = lambda: ""
    """what will need somebody before long"""
    private: bool = False
    """it answers only root and the deployment's own user"""


def services(deployment: Settings) -> list[Service]:
    """Everything that should run, outermost first."""
    api, conductor, console = deployment.api, deployment.conductor, deployment.console
    url = f"http://{api.host}:{api.port}"
    door = f"https://{conductor.host}:{conductor.port}"
    page = f"http://{console.host}:{console.port}"
    found = [
        Service("api", "api", url, lambda process: _answers(process, f"{url}/healthcheck"), lambda: _remarks(url)),
        Service("conductor", "conductor", door, lambda process: _answers(process, f"{door}/healthcheck")),
        Service("console", "console", page, lambda process: _answers(process, f"{page}/healthcheck")),
        Service("supervisor", "supervisor", "", lambda _process: ""),
    ]
    if deployment.identity.backend == "local":
        identity = f"http://{deployment.identity.host}:{deployment.identity.port}"
        found.insert(
            1, Service("identity", "api", f"{identity}/v3", lambda process: _answers(process, f"{identity}/v3"))
        )
    if deployment.provider.level == "root":
        helper = deployment.run / "helper.sock"
        found.append(Service("helper", "helper", f"unix:{helper}", lambda _process: _helps(helper), private=True))
        found.append(Service("launcher", "launcher", "", lambda _process: ""))
    # Last, as asking it takes longest.
    return [
        *found,
        Service("taskmanager", "taskmanager", "", lambda process: _works(deployment, process), private=True),
    ]


def look(deployment: Settings) -> Iterator[Report]:
    """One after the other, so that who waits for all may stop at the first that is missing."""
    return (_report(deployment.run, service) for service in services(deployment))


def _report(run: Path, service: Service) -> Report:
    process = processes.recorded(run, service.process)
    if process is None:
        return Report(service.role, service.address, State.DOWN)
    told = Report(service.role, service.address, State.HEALTHY, process.pid, process.since)
    if service.private and not os.access(run.parent / "keys", os.R_OK):
        return replace(told, health=State.UNKNOWN)
    wrong = service.ask(process)
    return replace(told, health=State.SILENT, message=wrong) if wrong else replace(told, message=service.remark())


def _answers(process: Process, url: str) -> str:
    place = urlsplit(url)
    # The question carries no secret and the answer is "OK": who answers is settled by whose socket it is, not by TLS.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = (
        http.client.HTTPSConnection(place.netloc, timeout=PATIENCE, context=context)
        if place.scheme == "https"
        else http.client.HTTPConnection(place.netloc, timeout=PATIENCE)
    )
    try:
        connection.request("GET", place.path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error}"
    finally:
        connection.close()
    if status != 200:
        return f"answers {status}"
    return "" if processes.listens(process, place.port or 0) else f"another program answers on port {place.port}"


def _remarks(url: str) -> str:
    """What the API says beside "OK"."""
    try:
        with urllib.request.urlopen(f"{url}/healthcheck", timeout=PATIENCE) as answer:  # noqa: S310 - our own API
            return "; ".join(answer.read().decode().splitlines()[1:])
    except OSError:
        return ""


def _helps(path: Path) -> str:
    from argosy.providers.local.helper.client import Helper

    try:
        Helper(path).ask("ping")
    except errors.ArgosyError as error:
        return error.message
    return ""


def _works(deployment: Settings, process: Process) -> str:
    """The taskmanager listens nowhere: it tells that it lives by its row among the workers."""
    owner = deployment.keys.stat().st_uid
    if os.geteuid() == owner:
        return _registered(deployment, process)
    # Even root may not open the files of SQLite where the kernel protects sticky directories (proc_sys_fs(5)).
    return forks.ask(lambda: _registered(deployment, process), pwd.getpwuid(owner))


def _registered(deployment: Settings, process: Process) -> str:
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from argosy.db.session import Database
    from argosy.db.tables import Worker
    from argosy.durable.times import DatabaseClock

    database = Database(deployment.database_url)
    mine = select(Worker.seen_at).where(Worker.pid == process.pid, Worker.started == process.started)
    try:
        with database.read() as session:
            seen = session.scalar(mine)
        silent = DatabaseClock(database)() - seen if seen is not None else None
    except SQLAlchemyError as error:
        return f"the control database does not answer: {str(error).partition(chr(10))[0]}"
    finally:
        database.dispose()
    if silent is None:
        return "it has not registered as a worker yet"
    return f"no sign of it for {silent:.0f} s" if silent > deployment.taskmanager.lease_seconds else ""
