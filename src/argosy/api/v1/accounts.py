"""Databases and users in a request: read, and checked by the rules of the engine they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from argosy import errors
from argosy.api.fields import Fields
from argosy.engines.base import Database, Names, User
from argosy.model.guest import Secret

DATABASE = re.compile(r"[\w-]([\w ?#@-]*[\w-])?")
"""Letters, digits, `_` and `-`; in the middle also space and `?#@`."""
FORBIDDEN_IN_USERS = frozenset("'\";`,/\\")
HOST = re.compile(r"%?[\w.:/()-]*%?[\w.:/%()-]*")
WORD = re.compile(r"\w+", re.ASCII)


def databases(fields: Fields, rules: Names) -> tuple[Database, ...]:
    """Raises BadRequest for a name that is malformed, reserved or there twice."""
    found = tuple(_database(each, rules) for each in fields.objects("databases"))
    _unique("Database", [each.name for each in found])
    return found


def users(fields: Fields, rules: Names, made: Sequence[Database]) -> tuple[User, ...]:
    """Raises BadRequest, also for a database of a user that the request does not make."""
    found = tuple(_user(each, rules) for each in fields.objects("users"))
    _unique("User", [f"{each.name}@{each.host}" for each in found])
    known = {each.name for each in made}
    for each in found:
        for name in each.databases:
            if name not in known:
                raise errors.BadRequest(f"Database {name} of user {each.name} is not among the databases.")
    return found


def _database(fields: Fields, rules: Names) -> Database:
    name = _database_name(fields, rules)
    return Database(name, _word(fields, "character_set"), _word(fields, "collate"))


def _database_name(fields: Fields, rules: Names) -> str:
    name = fields.needed_text("name", most=rules.database_length)
    if not DATABASE.fullmatch(name):
        raise fields.wrong("name", f"{name!r} is not a database name: letters, digits, _ and - are")
    if name.lower() in rules.reserved_databases:
        raise fields.wrong("name", f"{name!r} is reserved")
    return name


def _user(fields: Fields, rules: Names) -> User:
    name = fields.needed_text("name", most=rules.user_length)
    if name != name.strip() or FORBIDDEN_IN_USERS & set(name):
        raise fields.wrong("name", f"{name!r} is not a user name: no quotes, commas, slashes, no spaces at the ends")
    if name.lower() in rules.reserved_users:
        raise fields.wrong("name", f"{name!r} is reserved")
    wanted = dict.fromkeys(_database_name(each, rules) for each in fields.objects("databases"))
    return User(name, password(fields), _host(fields), tuple(wanted))


def password(fields: Fields) -> Secret:
    value = fields.needed_text("password")
    if value != value.strip():
        raise fields.wrong("password", "must not begin or end with a space")
    return Secret(value)


def _host(fields: Fields) -> str:
    host = fields.text("host", most=60) or "%"
    if not HOST.fullmatch(host):
        raise fields.wrong("host", f"{host!r} is neither an address nor a network nor %")
    return host


def _word(fields: Fields, name: str) -> str:
    value = fields.text(name, most=64) or ""
    if value and not WORD.fullmatch(value):
        raise fields.wrong(name, f"{value!r} is not the name of one")
    return value


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise errors.BadRequest(f"{what} {name} is given more than once.")
        seen.add(name)
