"""How programs connect, in the words of each language: snippets.toml, filled in for one database."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from string import Template

from argosy.client import connections
from argosy.client.connections import Target

PAIR: Mapping[str, str] = {
    "pair_libpq": " sslcert=client.crt sslkey=client.key",
    "pair_php": ";sslcert=client.crt;sslkey=client.key",
    "pair_mariadb": " --ssl-cert=client.crt --ssl-key=client.key",
    "pair_redis": " --cert client.crt --key client.key",
    "pair_node": ', cert: fs.readFileSync("client.crt"), key: fs.readFileSync("client.key")',
    "pair_stream": ', "local_cert" => "client.crt", "local_pk" => "client.key"',
    "pair_ruby": ', cert: OpenSSL::X509::Certificate.new(File.read("client.crt")),'
    ' key: OpenSSL::PKey.read(File.read("client.key"))',
}
"""What shows a client's certificate, where that is a part of a line."""


def languages(scheme: str) -> list[str]:
    return list(_texts(scheme))


def snippet(to: Target, language: str, *, shows: bool = False) -> str:
    """How a program connects; `shows`: with the certificate of a client, in client.crt and client.key. The password
    comes from the environment. Raises KeyError for a language that is not known.
    """
    marks = {"T|": to.authority is not None, "M|": shows and to.authority is not None, "P|": to.authority is None}
    lines = _texts(to.scheme)[language].strip("\n").splitlines()
    wanted = [line[2:] if line[:2] in marks else line for line in lines if marks.get(line[:2], True)]
    place = {"host": to.host, "port": str(to.port), "user": to.user, "authority": str(to.authority or "")}
    database = to.database or connections.family_of(to.scheme).database
    pair = PAIR if shows else dict.fromkeys(PAIR, "")
    return Template("\n".join(wanted)).substitute(place, database=database, **pair)


def _texts(scheme: str) -> dict[str, str]:
    document = tomllib.loads(resources.files("argosy.client").joinpath("snippets.toml").read_text())
    texts: dict[str, str] = document[connections.family_of(scheme).scheme]
    return texts
