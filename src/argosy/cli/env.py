"""`argosy env`: what other OpenStack clients need to work with this deployment."""

from __future__ import annotations

import os
import shlex

import click

from argosy.cli import clouds, tenants
from argosy.cli.place import Place, located
from argosy.client.credentials import Login


@click.command()
@click.option("--project", default="", help="A project of this name, made if there is none (as administrator).")
@click.option("--user", default="", help="A user of this name in that project, made if there is none.")
@click.option("--clouds", "into_clouds", is_flag=True, help="Write an entry into clouds.yaml instead of printing.")
@click.option("--cloud", default="argosy", show_default=True, help="Name of that entry.")
@click.pass_obj
def env(place: Place, project: str, user: str, into_clouds: bool, cloud: str) -> None:
    """Print OS_* variables for openstack, trove and openstacksdk: eval "$(argosy env)"."""
    if bool(project) != bool(user):
        raise click.UsageError("--project and --user belong together")
    state, login = located(place, os.environ)
    if project:
        login = tenants.ensure(place.credentials, state, login, project, user)
    if into_clouds:
        file = clouds.default_file(os.environ)
        clouds.write(file, cloud, login)
        click.echo(f"wrote the cloud {cloud} to {file}: openstack --os-cloud {cloud} database instance list")
        return
    for name, value in variables(state, login).items():
        click.echo(f"export {name}={shlex.quote(value)}")


def variables(state: str, login: Login) -> dict[str, str]:
    """The state directory goes along, so that argosy itself means the same deployment."""
    return {
        "OS_AUTH_URL": login.auth_url,
        "OS_USERNAME": login.username,
        "OS_PASSWORD": login.password,
        "OS_PROJECT_NAME": login.project,
        "OS_USER_DOMAIN_NAME": login.domain,
        "OS_PROJECT_DOMAIN_NAME": login.domain,
        "OS_REGION_NAME": login.region,
        "OS_IDENTITY_API_VERSION": "3",
        **({"ARGOSY_STATE": state} if state else {}),
    }
