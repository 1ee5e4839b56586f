"""Writes what `docs/reference/` says from the code it says it of. `make docs` runs it; a test keeps it current."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from argosy import errors, settings
from argosy.api import openapi
from argosy.engines.base import Engine
from argosy.engines.parameters import Parameter

REFERENCE = Path(__file__).parent / "reference"
HEADING = "<!-- Written by docs/generate.py: change the code, then run `make docs`. -->\n\n"


def settings_page() -> str:
    """Every option with its default and its sentence."""
    lines = ["# Settings", "", *_paragraphs(settings.__doc__ or ""), ""]
    for name, kind in typing.get_type_hints(settings.Settings).items():
        if dataclasses.is_dataclass(kind):
            lines += ["", f"## `[{name}]`", "", "| option | default | what it does |", "|---|---|---|"]
            lines += [
                f"| `{field.name}` | `{_shown(field.default)}` | {sentence} |" for field, sentence in _options(kind)
            ]
    lines += ["", "## `[regions.NAME]`", "", *_paragraphs(inspect.getdoc(settings.Region) or ""), ""]
    lines += ["| option | default | what it does |", "|---|---|---|"]
    lines += [f"| `projects` | | {told} |" for field, told in _options(settings.Region) if field.name == "projects"]
    lines += ["", "## `[[flavors]]`", "", "| id | name | ram (MiB) | vcpus |", "|---|---|---|---|"]
    lines += [f"| `{each.id}` | {each.name} | {each.ram} | {each.vcpus:g} |" for each in settings.SHIPPED_FLAVORS]
    return "\n".join(lines) + "\n"


def _options(kind: type) -> Iterator[tuple[dataclasses.Field[object], str]]:
    told = _field_docstrings(inspect.getsource(sys.modules[kind.__module__]), kind.__name__)
    for field in dataclasses.fields(kind):
        yield field, told[field.name]


def _field_docstrings(text: str, name: str) -> dict[str, str]:
    tree = next(each for each in ast.parse(text).body if isinstance(each, ast.ClassDef) and each.name == name)
    told: dict[str, str] = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            told[ast.unparse(field.target)] = " ".join(str(after.value.value).split())
    return told


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default) or " "


def _paragraphs(text: str) -> list[str]:
    return text.strip().splitlines()


def errors_page() -> str:
    """Every error with its status, its key in the body, and who must act."""
    lines = ["# Errors", "", "| error | status | key | who acts | default message |", "|---|---|---|---|---|"]
    for kind in _family(errors.ArgosyError):
        message = " ".join((kind.__doc__ or "").split())
        lines.append(f"| {kind.__name__} | {kind.status} | `{kind.key}` | {_actor(kind)} | {message} |")
    return "\n".join(lines) + "\n"


def _family(kind: type[errors.ArgosyError]) -> Iterator[type[errors.ArgosyError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _family(child)


def _actor(kind: type[errors.ArgosyError]) -> str:
    if issubclass(kind, errors.Rejected):
        return "the caller"
    return "nobody: it is tried again" if issubclass(kind, errors.Unavailable) else "an operator"


def operations_page() -> str:
    """Every operation with its steps, in order."""
    from argosy.workflows.registry import WORKFLOWS

    lines = ["# Operations", "", "Each is one file of `src/argosy/workflows/`, its steps in this order.", ""]
    lines += ["| operation | steps | when given up | can be cancelled |", "|---|---|---|---|"]
    for name, workflow in sorted(WORKFLOWS.items()):
        steps, detours = " → ".join(workflow.steps), ", ".join(workflow.detours) or "-"
        lines.append(f"| `{name}` | {steps} | {detours} | {'yes' if workflow.cancellable else 'no'} |")
    return "\n".join(lines) + "\n"


def datastores_page() -> str:
    """What each engine can do, from its declaration."""
    from argosy.engines import registry
    from argosy.engines.base import Capability

    lines = ["# Datastores", "", "| engine | datastores | port | master user | smallest flavor (MiB) |"]
    lines[-1] += "".join(f" {each} |" for each in Capability)
    lines.append("|---" * (5 + len(Capability)) + "|")
    for engine in registry.engines().values():
        names = ", ".join(each.name for each in engine.datastores)
        can = "".join(f" {'yes' if each in engine.capabilities else 'no'} |" for each in Capability)
        lines.append(f"| {engine.title} | {names} | {engine.port} | `{engine.master}` | {engine.smallest_ram} |{can}")
    return "\n".join(lines) + "\n"


def matrix_page() -> str:
    """What can be done with an instance of each engine: yes; partly, with the reason; not applicable; not yet."""
    from argosy.engines import registry

    engines = list(registry.engines().values())
    lines = ["# Operations by engine", "", "From what each engine declares of itself. What public clients make of it:"]
    lines += ["[Clients of Trove](../use/compatibility.md).", ""]
    lines += [f"| operation | {' | '.join(each.title for each in engines)} |", "|---" * (1 + len(engines)) + "|"]
    for operation, told in _MATRIX.items():
        lines.append(f"| {operation} | {' | '.join(told(each) for each in engines)} |")
    return "\n".join(lines) + "\n"


def _if_able(capability: str, otherwise: str) -> Callable[[Engine], str]:
    return lambda engine: "yes" if capability in engine.capabilities else f"not applicable: {otherwise}"


def _hosts(engine: Engine) -> str:
    return "yes" if engine.names.hosts else "partial: a user is one and the same from every host, `%`"


def _plain(engine: Engine) -> str:
    return f"yes: at its port + {engine.plain_offset}" if engine.plain_offset else "yes: at the same port"


def _logs(engine: Engine) -> str:
    names = {each.name for each in engine.logs}
    missing = {"general", "slow_query", "error"} - names
    told = ", ".join(sorted(names))
    return f"partial: {told}; it writes no {', '.join(sorted(missing))} log" if missing else f"yes: {told}"


def _settings(engine: Engine) -> str:
    from argosy.engines import parameters

    declared = parameters.declared(engine.name).values()
    return f"yes: {len(declared)} parameters, {sum(each.restart for each in declared)} of them need a restart"


def _across(engine: Engine) -> str:
    return "yes" if engine.crosses_series else "not yet"


def _always(told: str) -> Callable[[Engine], str]:
    return lambda _engine: told


_NO_DATABASES = "it has no databases with names"
_MATRIX: dict[str, Callable[[Engine], str]] = {
    **dict.fromkeys(
        (
            "create, list, show, rename, delete",
            "restart, stop, start, rebuild, reset status",
            "resize: flavor",
            "resize: volume, while it runs",
            "access: public, networks that may come",
            "modules, tags, events, metrics",
        ),
        _always("yes"),
    ),
    "databases: create, list, delete": _if_able("databases", _NO_DATABASES),
    "users: create, list, show, change, delete": _if_able("accounts", "it has no users"),
    "users: of a host": _hosts,
    "users: grant and revoke databases": _if_able("databases", _NO_DATABASES),
    "root: enable, disable, show": _if_able("accounts", "it has no users"),
    "configuration groups": _settings,
    "TLS: enforced, mtls, own certificates": _if_able("tls", "it does not speak TLS"),
    "TLS: plain connections beside it (mode basic)": _plain,
    "logs": _logs,
    "upgrade within a series of versions": _if_able("upgrades", "it takes no data of other versions"),
    "upgrade to another series": _across,
    **dict.fromkeys(("backups", "replicas", "clusters"), _always("not yet")),
}


def parameters_page() -> str:
    """What may be set, engine by engine."""
    from argosy.engines import parameters, registry

    lines = ["# Parameters", "", "What a configuration may hold. `argosy config parameters ENGINE` tells those of the"]
    lines += ["version that is meant, with what an operator has said of them; so does the API."]
    for engine in registry.engines().values():
        lines += ["", f"## {engine.title}", "", "| parameter | type | values | unit | default | restart | versions |"]
        lines += ["|---|---|---|---|---|---|---|"]
        lines += [_parameter(each) for _, each in sorted(parameters.declared(engine.name).items())]
    return "\n".join(lines) + "\n"


def _parameter(each: Parameter) -> str:
    versions = " ".join(filter(None, (each.since and f"from {each.since}", each.until and f"before {each.until}")))
    default = "" if each.default is None else f"`{_cell(_shown(each.default))}`"
    cells = (f"`{each.name}`", each.kind, _cell(_allowed(each)), each.unit, default, "yes" if each.restart else "")
    return "".join(f"| {cell} " for cell in (*cells, versions)) + "|"


def _allowed(each: Parameter) -> str:
    if each.choices or each.members:
        return ", ".join(each.choices) or f"a list of {', '.join(each.members)}"
    bounds = [
        f"{bound:g}" if bound != int(bound) else str(int(bound))
        for bound in (each.minimum, each.maximum)
        if bound is not None
    ]
    return " … ".join(bounds)


def api_page() -> str:
    """Every call of the REST API, from its OpenAPI document."""
    document = openapi.document()
    lines = ["# REST API", "", document["info"]["description"], ""]
    lines += ["The whole of it, with every field, is in `src/argosy/api/openapi/`, served at `/openapi.json`."]
    lines += ["", "| call | what it does | policy rule | answers |", "|---|---|---|---|"]
    for path, item in document["paths"].items():
        for method in ("get", "head", "post", "put", "patch", "delete"):
            if method in item:
                lines.append(_call(method, path, item[method]))
    return "\n".join(lines) + "\n"


def _call(method: str, path: str, told: dict[str, Any]) -> str:
    rule = f"`{told['x-policy']}`" if told.get("x-policy") else "-"
    return f"| {method.upper()} `{path}` | {told['summary']} | {rule} | {' '.join(told['responses'])} |"


def command_line_page() -> str:
    """Every command with its options."""
    from argosy import __main__ as whole
    from argosy.cli.main import argosy
    from argosy.salvage.main import argosy_restore

    lines = ["# Command line", "", argosy.epilog or "", "", "Options of `argosy` itself, before the command:"]
    lines += _parameters(argosy)
    lines += ["", "Options of `argosy-restore` itself, before the command:", *_parameters(argosy_restore)]
    argosy.extend(whole.COMMANDS)
    for names, command in (*_commands(argosy, ("argosy",)), *_commands(argosy_restore, ("argosy-restore",))):
        arguments = [each.make_metavar(_CONTEXT) for each in command.params if isinstance(each, click.Argument)]
        lines += ["", f"## `{' '.join([*names, *arguments])}`", "", " ".join((command.help or "").split())]
        lines += _parameters(command)
    return "\n".join(lines) + "\n"


_CONTEXT = click.Context(click.Command("argosy"))


def _commands(group: click.Group, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All that can be run, groups themselves left out."""
    for name in group.list_commands(_CONTEXT):
        command = group.get_command(_CONTEXT, name)
        if isinstance(command, click.Group):
            yield from _commands(command, (*names, name))
        elif command is not None:
            yield (*names, name), command


def _parameters(command: click.Command) -> list[str]:
    """A table of the options, if there are any."""
    told = [each.get_help_record(_CONTEXT) for each in command.params if isinstance(each, click.Option)]
    rows = [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in filter(None, told)]
    return ["", "| option | what it does |", "|---|---|", *rows] if rows else []


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def events_page() -> str:
    """Every kind of event."""
    from argosy.model.events import CATALOGUE, INSTANCE

    lines = [
        "# Events",
        "",
        "What `GET /v1.0/{project}/events` lists and webhooks are told. Names and payload keys are those of",
    ]
    lines += [
        "Trove's notifications where Trove has one, of Keystone's for users, projects and roles. An event about an"
    ]
    lines += [f"instance carries {', '.join(f'`{key}`' for key in INSTANCE)} too."]
    lines += ["", "| event_type | what happened | further keys of the payload |", "|---|---|---|"]
    for kind in CATALOGUE.values():
        lines.append(f"| `{kind.name}` | {kind.meaning} | {', '.join(f'`{key}`' for key in kind.keys)} |")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Every metric."""
    from argosy.model import metrics

    lines = ["# Metrics"]
    for title, listed in (
        ("Of the deployment: `GET /metrics`", metrics.DEPLOYMENT),
        ("Of instances: `GET /v1.0/{project}/metrics`, `GET /v1.0/{project}/instances/{id}/metrics`", metrics.INSTANCE),
    ):
        lines += ["", f"## {title}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        lines += [f"| `{each.name}` | {each.form} | {', '.join(each.labels)} | {each.meaning} |" for each in listed]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "api.md": api_page,
    "command-line.md": command_line_page,
    "settings.md": settings_page,
    "errors.md": errors_page,
    "operations.md": operations_page,
    "datastores.md": datastores_page,
    "matrix.md": matrix_page,
    "parameters.md": parameters_page,
    "events.md": events_page,
    "metrics.md": metrics_page,
}


def main() -> int:
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(HEADING + page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
