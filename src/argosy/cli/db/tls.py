"""`argosy db tls`, `tls-client` and `connect-info`: how a database speaks TLS, and how programs connect to it."""

from __future__ import annotations

import base64
import dataclasses
import os
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import click

from argosy.cli import output
from argosy.cli.db.use import outside, target
from argosy.cli.place import Place, connect
from argosy.client import connections, snippets
from argosy.client.resources import Document


@click.command()
@click.argument("name")
@click.option("--mode", type=click.Choice(["basic", "enforced", "mtls"]), help="Speak TLS in this mode.")
@click.option("--off", is_flag=True, help="Speak none.")
@click.option("--rollback", is_flag=True, help="Go back to what was before the last change.")
@click.option(
    "--renew", is_flag=True, help="With --mode: a certificate of the deployment's authority instead of yours."
)
@click.option("--pkcs12", type=click.File("rb"), help="With --mode: bring a certificate in this container.")
@click.option("--password-file", type=click.File(), help="The container's password, or - for standard input.")
@click.option("--certificate", type=click.File(), help="With --mode: bring this certificate (PEM, its chain after it).")
@click.option("--key", type=click.File(), help="Its private key (PEM).")
@click.option("--authority", type=click.File(), help="Its authority (PEM).")
@output.option
@click.pass_obj
def tls(place: Place, /, name: str, form: str, **told: Any) -> None:
    """Show how a database speaks TLS, or change it. Connections that are open stay."""
    client = connect(place)
    instance, body = client.instances.find(name), _body(told)
    if body:
        changed = client.instances.change_tls(instance["id"], **body)
        if changed["restart_required"]:
            click.echo(f"this waits for a restart: argosy db restart {name}", err=True)
    _show(client.instances.tls(instance["id"]), form)


@click.command("tls-client")
@click.argument("name")
@click.argument("client_name")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it is good.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=".", help="Directory for the files.")
@click.pass_obj
def tls_client(place: Place, name: str, client_name: str, days: int, into: Path) -> None:
    """A certificate for a client, for mode mtls: client.crt and client.key."""
    client = connect(place)
    made = client.instances.tls_client(client.instances.find(name)["id"], client_name, days)
    into.mkdir(parents=True, exist_ok=True)
    (into / "client.crt").write_text(made["certificate"])
    with os.fdopen(os.open(into / "client.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as key:
        key.write(made["private_key"])
    click.echo(f"{into / 'client.crt'} and {into / 'client.key'}, good until {made['expire_at']}")


@click.command("connect-info")
@click.argument("name")
@click.option("--language", default="", help="Only this one; all when not given.")
@click.option("--database", default="", help="The database to open.")
@outside
@output.option
@click.pass_obj
def connect_info(place: Place, /, name: str, language: str, form: str, **where: Any) -> None:
    """The connection URL, and how programs in several languages connect. The password is left out."""
    client = connect(place)
    to, mode = (
        dataclasses.replace(target(place, client, name, **where), password=""),
        client.instances.tls(client.instances.find(name)["id"]),
    )
    known = snippets.languages(to.scheme)
    if language and language not in known:
        raise click.BadParameter(f"{language!r} is not one of {', '.join(known)}", param_hint="--language")
    shows = mode.get("mode") == "mtls"
    told = {each: snippets.snippet(to, each, shows=shows) for each in ([language] if language else known)}
    if form != "table":
        output.one({"url": connections.url(to), "authority": str(to.authority or ""), **told}, {}, form)
        return
    click.echo(f"url        {connections.url(to)}\nauthority  {to.authority or 'none: there is no TLS'}")
    for each, text in told.items():
        click.echo(f"\n--- {each}\n{text}")


def _body(told: dict[str, Any]) -> dict[str, Any]:
    """What the API is asked for; nothing when nothing is to change. Raises UsageError."""
    asked = [name for name in ("mode", "off", "rollback") if told[name]]
    if len(asked) > 1:
        raise click.UsageError("only one of --mode, --off and --rollback")
    if not asked:
        if any(told.values()):
            raise click.UsageError("a certificate goes with --mode")
        return {}
    if told["off"] or told["rollback"]:
        return {"disable": True} if told["off"] else {"rollback": True}
    return {"enable": True, "mode": told["mode"], **_certificate(told)}


def _certificate(told: dict[str, Any]) -> dict[str, str]:
    container: BinaryIO | None = told["pkcs12"]
    if container is not None:
        password: TextIO | None = told["password_file"]
        secret = password.readline().rstrip("\n") if password else ""
        return {"pkcs12": base64.b64encode(container.read()).decode(), "password": secret}
    files = {"certificate": told["certificate"], "private_key": told["key"], "authority": told["authority"]}
    brought = {name: file.read() for name, file in files.items() if file}
    return brought or {"container_ref": "builtin" if told["renew"] else "current"}


def _show(told: Document, form: str) -> None:
    certificate = told.get("certificate", {})
    fields = {
        "mode": told.get("mode", "off"),
        "certificate of": certificate.get("cn"),
        "good until": certificate.get("expire_at"),
        "names": certificate.get("san"),
        "brought": "by you: Argosy does not renew it" if certificate.get("brought") else None,
    }
    output.one(told, {title: value for title, value in fields.items() if value}, form)
