"""How each process is, by really asking it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from argosy import errors
from argosy.launcher import processes
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


@dataclass(frozen=True)
class Report:
    role: str
    address: str
    health: State
    pid: int | None = None
    since: float | None = None
    """wall-clock time of its start"""
    message: str = ""
    """why it is not healthy"""


@dataclass(frozen=True)
class Service:
    role: str
    process: str
    """role of the process that offers it"""
    address: str
    ask: Callable[[Process], str]
    """what is wrong, or nothing"""


def services(deployment: Settings) -> list[Service]:
    """Everything that should run, outermost first."""
    api, conductor = deployment.api, deployment.conductor
    url = f"http://{api.host}:{api.port}"
    door = f"https://{conductor.host}:{conductor.port}"
    found = [
        Service("api", "api", url, lambda _process: _answers(f"{url}/healthcheck")),
        Service("conductor", "conductor", door, lambda _process: _answers(f"{door}/healthcheck")),
        Service("taskmanager", "taskmanager", "", lambda process: _works(deployment, process)),
        Service("supervisor", "supervisor", "", lambda _process: ""),
    ]
    if deployment.identity.backend == "local":
        identity = f"http://{deployment.identity.host}:{deployment.identity.port}"
        found.insert(1, Service("identity", "api", f"{identity}/v3", lambda _process: _answers(f"{identity}/v3")))
    if deployment.provider.level == "root":
        helper = deployment.run / "helper.sock"
        found.append(Service("helper", "helper", f"unix:{helper}", lambda _process: _helps(helper)))
        found.append(Service("launcher", "launcher", "", lambda _process: ""))
    return found


def look(deployment: Settings) -> list[Report]:
    return [_report(deployment.run, service) for service in services(deployment)]


def _report(run: Path, service: Service) -> Report:
    process = processes.recorded(run, service.process)
    if process is None:
        return Report(service.role, service.address, State.DOWN)
    wrong = service.ask(process)
    health = State.SILENT if wrong else State.HEALTHY
    return Report(service.role, service.address, health, process.pid, process.since, wrong)


def _answers(url: str) -> str:
    place = urlsplit(url)
    # The question carries no secret and the answer is "OK": who answers is settled by the pid file, not by TLS.
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
    return "" if status == 200 else f"answers {status}"


def _helps(path: Path) -> str:
    from argosy.providers.local.helper.client import Helper

    try:
        Helper(path).ask("ping")
    except errors.ArgosyError as error:
        return error.message
    return ""


def _works(deployment: Settings, process: Process) -> str:
    """The taskmanager listens nowhere: it tells that it lives by its row among the workers."""
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
        return f"the control database does not answer: {error}"
    finally:
        database.dispose()
    if silent is None:
        return "it has not registered as a worker yet"
    return f"no sign of it for {silent:.0f} s" if silent > deployment.taskmanager.lease_seconds else ""
