"""`argosy up`, `down` and `status`."""

from __future__ import annotations

import os
import pwd

import click

from argosy import clock, errors, settings
from argosy.cli import output
from argosy.cli.place import Place
from argosy.launcher import code, health, logins
from argosy.launcher import down as stopping
from argosy.launcher import uninstall as removing
from argosy.launcher import up as starting
from argosy.launcher.health import Report, State
from argosy.settings import Settings

COLUMNS: tuple[output.Column, ...] = (
    ("ROLE", lambda row: row["role"]),
    ("HEALTH", lambda row: f"{row['health']} {row['message']}"),
    ("PID", lambda row: row["pid"]),
    ("SINCE", lambda row: row["since"]),
    ("ADDRESS", lambda row: row["address"]),
)


@click.command()
@click.option("--foreground", is_flag=True, help="Stay here, as a service manager wants it, until SIGTERM.")
@click.option("--port-base", type=click.IntRange(1, 65532), help="Four ports from here on, at the first start.")
@click.pass_obj
def up(place: Place, foreground: bool, port_base: int | None) -> None:
    """Start Argosy on this machine, in the background. Databases that run already are adopted."""
    deployment = starting.prepare(place.state, port_base)
    if foreground:
        starting.in_foreground(deployment)
    begun = clock.monotonic()
    fresh = starting.in_background(deployment)
    logins.hand_out(deployment)
    seconds = clock.monotonic() - begun
    click.echo(f"Argosy is up after {seconds:.1f} s" if fresh else "Argosy was up already: nothing has changed")
    for name, value in addresses(deployment).items():
        click.echo(f"  {name:9} {value}")
    _compare_code(deployment)


@click.command()
@click.pass_obj
def down(place: Place) -> None:
    """Stop Argosy on this machine. Its databases go on running."""
    stopped = stopping.down(_own(place))
    click.echo("Argosy is down; databases go on running" if stopped else "Argosy was not up: nothing has changed")


@click.command()
@output.option
@click.pass_obj
def status(place: Place, form: str) -> int:
    """Each process with its health, by really asking it. Exit code 5 unless all is well."""
    deployment = settings.load(place.state)
    reports = list(health.look(deployment))
    output.rows([_row(report) for report in reports], COLUMNS, form)
    _compare_code(deployment)
    return 0 if all(report.health in (State.HEALTHY, State.UNKNOWN) for report in reports) else 5


def _compare_code(deployment: Settings) -> None:
    """Beside the answer, which may be for a program."""
    if starting.running(deployment) and code.outdated(deployment.run):
        click.echo(code.CURE, err=True)


def _own(place: Place) -> Settings:
    """Raises Forbidden for another's deployment."""
    deployment = settings.load(place.state)
    if place.state.exists() and place.state.stat().st_uid != os.geteuid():
        owner = pwd.getpwuid(place.state.stat().st_uid).pw_name
        raise errors.Forbidden(f"the deployment in {place.state} belongs to {owner}: do this as {owner}")
    return deployment


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def uninstall(place: Place, *, yes: bool) -> None:
    """Take this deployment away again, with every database and all their data."""
    if not (place.state / "argosy.toml").exists():
        click.echo(f"there is no deployment in {place.state}: nothing has changed")
        return
    if not yes:
        click.confirm(f"Delete the deployment in {place.state} with every database and all their data?", abort=True)
    for what in removing.uninstall(place, _own(place)):
        click.echo(f"took away {what}")
    click.echo("what the package manager installed stays")


def addresses(deployment: Settings) -> dict[str, str]:
    api, identity, console = deployment.api, deployment.identity, deployment.console
    return {
        "API": f"http://{api.host}:{api.port}/v1.0",
        "identity": identity.url,
        "console": f"http://{console.host}:{console.port}",
        "state": str(deployment.state),
    }


def _row(report: Report) -> dict[str, str | int | None]:
    since = clock.timestamp(report.since) if report.since else None
    return {
        "role": report.role,
        "health": report.health,
        "message": report.message,
        "pid": report.pid,
        "since": since,
        "address": report.address,
    }
