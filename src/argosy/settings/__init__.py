"""Every option: type, default, one sentence. The reference manual and the sample file are made from this package.

One TOML file (`argosy.toml` in the state directory), environment variables over it (`ARGOSY_SECTION__OPTION`, lists and
tables as JSON), nothing else. Read once at the start of a process. The state directory itself is chosen by
`ARGOSY_STATE` or `--state`; without either it is /var/lib/argosy for root and the XDG state home otherwise.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.settings.guests import SHIPPED_FLAVORS, Flavor, Limits, Provider, Tls
from argosy.settings.keeping import Backups, Region, SelfBackup, Store
from argosy.settings.services import Api, Conductor, Console, Database, Identity, Metrics, Taskmanager
from argosy.settings.telling import Alarms, Events, Logs, Webhooks

__all__ = [
    "SHIPPED_FLAVORS",
    "Alarms",
    "Api",
    "Backups",
    "BadSetting",
    "Conductor",
    "Console",
    "Database",
    "Events",
    "Flavor",
    "Identity",
    "Limits",
    "Logs",
    "Metrics",
    "Provider",
    "Region",
    "SelfBackup",
    "Settings",
    "Store",
    "Taskmanager",
    "Tls",
    "Webhooks",
    "default_state",
    "from_tables",
    "load",
]

REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
"""a name that a region can have"""


class BadSetting(errors.Broken):
    """a setting cannot be used"""


@dataclass(frozen=True)
class Settings:
    state: Path
    """The state directory: everything that this deployment keeps."""
    database: Database = field(default_factory=Database)
    api: Api = field(default_factory=Api)
    identity: Identity = field(default_factory=Identity)
    conductor: Conductor = field(default_factory=Conductor)
    console: Console = field(default_factory=Console)
    taskmanager: Taskmanager = field(default_factory=Taskmanager)
    provider: Provider = field(default_factory=Provider)
    tls: Tls = field(default_factory=Tls)
    limits: Limits = field(default_factory=Limits)
    logs: Logs = field(default_factory=Logs)
    events: Events = field(default_factory=Events)
    alarms: Alarms = field(default_factory=Alarms)
    webhooks: Webhooks = field(default_factory=Webhooks)
    metrics: Metrics = field(default_factory=Metrics)
    self_backup: SelfBackup = field(default_factory=SelfBackup)
    store: Store = field(default_factory=Store)
    regions: Mapping[str, Any] = field(default_factory=dict)
    """As they are told, by name: what is wrong with one of them stops only who needs it."""
    backups: Backups = field(default_factory=Backups)
    flavors: tuple[Flavor, ...] = SHIPPED_FLAVORS

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.state / 'control.db'}"

    @property
    def run(self) -> Path:
        """Sockets and pid files."""
        return self.state / "run"

    @property
    def keys(self) -> Path:
        """Master key and certificate authority."""
        return self.state / "keys"

    def region(self, name: str) -> Region:
        """Raises BadSetting, also where none of that name is told."""
        if name not in self.regions:
            raise BadSetting(f"there is no region {name!r} in the settings: put [regions.{name}] there")
        if not REGION.fullmatch(name):
            raise BadSetting(f"the name of a region has letters, digits, '_' and '-', not as {name!r} has")
        return _region(f"regions.{name}", self.regions[name], str(self.keys / f"region-{name}.toml"))

    def flavor(self, flavor_id: str) -> Flavor:
        """Raises NotFound."""
        for flavor in self.flavors:
            if flavor.id == flavor_id:
                return flavor
        raise errors.NotFound(f"flavor {flavor_id} cannot be found")


def default_state(environment: Mapping[str, str], *, root: bool) -> Path:
    if environment.get("ARGOSY_STATE"):
        return Path(environment["ARGOSY_STATE"]).absolute()
    if root:
        return Path("/var/lib/argosy")
    home = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "argosy"


def load(state: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the deployment in `state`. Raises BadSetting, naming the option, for what cannot be used."""
    environment = os.environ if environment is None else environment
    state = state or default_state(environment, root=os.geteuid() == 0)
    file = state / "argosy.toml"
    told = tomllib.loads(file.read_text()) if file.exists() else {}
    return _levelled(from_tables(state, _overlaid(told, environment)))


def _levelled(told: Settings) -> Settings:
    """`auto` is settled by whose the state directory is: the same for every process, whoever it runs as."""
    if told.provider.level != "auto" or not told.state.exists():
        return told
    level = "root" if told.state.stat().st_uid == 0 else "user"
    return dataclasses.replace(told, provider=dataclasses.replace(told.provider, level=level))


def from_tables(state: Path, told: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {"state": state}
    kinds = typing.get_type_hints(Settings)
    for name, table in told.items():
        if name == "flavors":
            values[name] = tuple(_section(Flavor, "flavors", each) for each in table)
        elif name == "regions":
            values[name] = _table(name, table)
        elif name in kinds and dataclasses.is_dataclass(kinds[name]):
            values[name] = _section(kinds[name], name, table)
        else:
            raise BadSetting(f"there is no section {name!r} in the settings: see docs/reference/settings.md")
    return Settings(**values)


def _overlaid(told: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    tables = {name: dict(table) if isinstance(table, dict) else table for name, table in told.items()}
    for variable, text in environment.items():
        section, found, option = variable.removeprefix("ARGOSY_").lower().partition("__")
        if variable.startswith("ARGOSY_") and found:
            tables.setdefault(section, {})[option] = text
    if environment.get("ARGOSY_FLAVORS"):
        tables["flavors"] = json.loads(environment["ARGOSY_FLAVORS"])
    return tables


def _section(kind: type[Any], name: str, table: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    unknown = set(table) - set(hints)
    if unknown:
        raise BadSetting(f"there is no option {name}.{min(unknown)}: see docs/reference/settings.md")
    return kind(**{option: _cast(hints[option], f"{name}.{option}", value) for option, value in table.items()})


def _region(name: str, told: Any, opener: str) -> Region:
    """`opener`: its file of credentials, where none is told."""
    table = dict(_table(name, told))
    projects = _table(f"{name}.projects", table.pop("projects", {}))
    store = _section(Store, name, table)
    if store.kind == "filesystem" and not store.path:
        raise BadSetting(f"{name}.path is empty: it names the directory of that region's store")
    store = dataclasses.replace(store, credentials_file=store.credentials_file or opener)
    return Region(store, {str(theirs): str(ours) for theirs, ours in projects.items()})


def _table(name: str, told: Any) -> Mapping[str, Any]:
    """As TOML has it, or as JSON in an environment variable. Raises BadSetting."""
    try:
        table = json.loads(told) if isinstance(told, str) else told
    except ValueError as error:
        raise BadSetting(f"{name} must be a table, or JSON of one") from error
    if not isinstance(table, Mapping):
        raise BadSetting(f"{name} must be a table, not {table!r}")
    return table


def _cast(kind: type[Any], name: str, value: Any) -> Any:
    try:
        if kind is str:
            return str(value)
        if kind is bool:
            return _truth(value)
        return kind(value)
    except (TypeError, ValueError) as error:
        raise BadSetting(f"{name} must be of type {kind.__name__}, not {value!r}") from error


def _truth(value: Any) -> bool:
    """As TOML has it, or as an environment variable can."""
    told = str(value).lower()
    if told not in {"true", "yes", "1", "false", "no", "0"}:
        raise ValueError(told)
    return told in {"true", "yes", "1"}
