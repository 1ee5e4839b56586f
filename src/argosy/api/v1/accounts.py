"""Databases and users in a request: read, and checked by the rules of the engine they are for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from argosy import errors
from argosy.api.fields import Fields
from argosy.engines.accounts import ANYWHERE, Account, Database, User
from argosy.engines.base import Names
from argosy.model.guest import Secret

DATABASE = re.compile(r"[\w-]([\w ?#@-]*[\w-])?", re.ASCII)
"""Letters, digits, `_` and `-`; in the middle also space and `?#@`."""
HOST = re.compile(r"%?[\w.:/()-]*%?[\w.:/%()-]*", re.ASCII)
COMMON = "uca1400"
"""Begins the collations of MariaDB that belong to every Unicode character set."""
MOST = 100
"""Databases or users of one request: all of them are one command of the guest, which has a size."""
WORD = re.compile(r"[\w.-]+", re.ASCII)


def wanted(body: Mapping[str, Any] | None, plural: str) -> Fields:
    """A body with a list of at least one object under its plural key, as Trove has it; or with one object there or
    under the singular key, as openstacksdk sends. Raises BadRequest.
    """
    given = dict(body or {})
    found = given.get(plural, given.get(plural[:-1]))
    if isinstance(found, dict):
        found = [found]
    fields = Fields({plural: found})
    if not found:
        raise fields.wrong(plural, "must be a list of at least one")
    if isinstance(found, list) and len(found) > MOST:
        raise fields.wrong(plural, f"must not be a list of more than {MOST}")
    return fields


def databases(fields: Fields, rules: Names) -> tuple[Database, ...]:
    """Raises BadRequest for a name that is malformed, reserved or there twice."""
    found = tuple(_database(each, rules) for each in fields.objects("databases"))
    _unique("Database", [each.name for each in found])
    return found


def users(fields: Fields, rules: Names, made: Sequence[Database]) -> tuple[User, ...]:
    """Raises BadRequest, also for a database of a user that the request does not make."""
    found = new_users(fields, rules)
    known = {each.name for each in made}
    for each in found:
        for name in each.databases:
            if name not in known:
                raise errors.BadRequest(f"Database {name} of user {each.name} is not among the databases.")
    return found


def new_users(fields: Fields, rules: Names) -> tuple[User, ...]:
    """Raises BadRequest for a name that is malformed, reserved or there twice."""
    found = tuple(_user(each, rules) for each in fields.objects("users"))
    _unique("User", [str(each.account) for each in found])
    return found


def account(text: str, rules: Names) -> Account:
    """The user that `name` or `name@host` names, where hosts mean something; else only the sign for all of them is one.
    Raises BadRequest for the system's.
    """
    name, _, host = text.rpartition("@")
    if not name or (host not in ("", ANYWHERE) and not rules.hosts):
        name, host = text, ANYWHERE
    refuse_reserved_user(name, rules)
    return Account(name, host or ANYWHERE)


def existing(fields: Fields, rules: Names) -> Account:
    """The user that an object of a body names. Raises BadRequest for the system's."""
    name = fields.needed_text("name")
    refuse_reserved_user(name, rules)
    return Account(name, host(fields, rules))


def refuse_reserved_user(name: str, rules: Names) -> None:
    if _is_among(name, rules.reserved_users) or name.lower().startswith(rules.reserved_prefixes):
        raise errors.BadRequest(f"The user name {name!r} is reserved.")


def refuse_reserved_database(name: str, rules: Names) -> None:
    if _is_among(name, rules.reserved_databases):
        raise errors.BadRequest(f"The database name {name!r} is reserved.")


def password(fields: Fields, rules: Names) -> Secret:
    value = fields.needed_text("password")
    if value != value.strip() or set(rules.forbidden_in_passwords) & set(value):
        raise fields.wrong("password", f"must not hold any of {rules.forbidden_in_passwords} nor spaces at its ends")
    return Secret(value)


def _database(fields: Fields, rules: Names) -> Database:
    name = _database_name(fields, rules)
    character_set, collate = _word(fields, "character_set"), _word(fields, "collate")
    if rules.character_sets:
        _check_pair(fields, rules, character_set, collate)
    return Database(name, character_set, collate)


def _database_name(fields: Fields, rules: Names) -> str:
    name = _name(fields, rules.database_length)
    if not DATABASE.fullmatch(name):
        raise fields.wrong("name", f"{name!r} is not a database name: letters, digits, _ and - are")
    if _is_among(name, rules.reserved_databases):
        raise fields.wrong("name", f"{name!r} is reserved")
    return name


def _check_pair(fields: Fields, rules: Names, character_set: str, collate: str) -> None:
    if character_set and character_set.lower() not in rules.character_sets:
        raise fields.wrong("character_set", f"{character_set!r} is not known")
    asked, meant = _meant(character_set), _meant(collate.partition("_")[0])
    if collate and meant != COMMON and meant not in ({asked} if asked else rules.character_sets):
        raise fields.wrong("collate", f"{collate!r} is not a collation of {character_set or 'any character set'}")


def _meant(character_set: str) -> str:
    """In MariaDB and in MySQL before 8.1 `utf8` is short for `utf8mb3`."""
    return "utf8mb3" if character_set.lower() == "utf8" else character_set.lower()


def _user(fields: Fields, rules: Names) -> User:
    name = user_name(fields, rules)
    wanted = dict.fromkeys(_database_name(each, rules) for each in fields.objects("databases"))
    return User(name, password(fields, rules), host(fields, rules), tuple(wanted))


def user_name(fields: Fields, rules: Names) -> str:
    """Of a user that is to be. Raises BadRequest."""
    name = _name(fields, rules.user_length)
    if name != name.strip() or set(rules.forbidden_in_users) & set(name):
        raise fields.wrong("name", f"must not hold any of {rules.forbidden_in_users} nor spaces at its ends")
    if _is_among(name, rules.reserved_users) or name.lower().startswith(rules.reserved_prefixes):
        raise fields.wrong("name", f"{name!r} is reserved")
    return name


def _name(fields: Fields, longest: int) -> str:
    name = fields.needed_text("name")
    if len(name.encode()) > longest:
        raise fields.wrong("name", f"must not be longer than {longest} bytes")
    return name


def _is_among(name: str, reserved: Iterable[str]) -> bool:
    return name.lower() in {each.lower() for each in reserved}


def host(fields: Fields, rules: Names) -> str:
    """Everywhere, also where hosts mean nothing. Raises BadRequest."""
    value = fields.text("host", most=60) or ANYWHERE
    if not HOST.fullmatch(value):
        raise fields.wrong("host", f"{value!r} is neither an address nor a network nor %")
    return value if rules.hosts else ANYWHERE


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
