"""Every declared parameter against the real servers: that it is there, its type, its bounds, and whether it waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from argosy import errors
from argosy.engines import parameters, registry
from argosy.engines.parameters import Kind, Parameter
from argosy.model.guest import Identity, Secret
from argosy.testing import servers
from argosy.testing.clients import Tenant
from argosy.testing.servers import Server

PASSWORD = Secret("correct-horse-battery")
LARGEST = 2**63 - 1


class ParametersContract:
    engine: ClassVar[str]
    version: ClassVar[str]
    wrong: ClassVar[Mapping[str, Any]]
    """a value that the declaration allows and the server does not"""

    @pytest.fixture(scope="class")
    @classmethod
    def server(cls) -> Iterator[Server]:
        with servers.farm() as farm:
            found = servers.require(cls.engine, cls.version)
            made = farm.clone(farm.template(registry.get(cls.engine), found), Identity(f"{1:032}", 1))
            made.start()
            made.hands.call("put_master", PASSWORD)
            yield made

    @pytest.fixture
    def tenant(self, server: Server) -> Iterator[Tenant]:
        tenant = server.connect(server.login(server.engine.master, PASSWORD))
        yield tenant
        tenant.close()

    def offered(self, server: Server) -> list[Parameter]:
        return list(parameters.offered(self.engine, server.found.version).values())

    def test_each_can_be_set_to_its_default_and_taken_away(self, server: Server) -> None:
        """The server starts with all of them, nothing waits then, and a running one gets its own values back."""
        values = {each.name: each.default for each in self.offered(server) if self._settable(each, server)}
        server.hands.call("configure", values)
        assert server.stop() == 0
        server.start()
        assert server.hands.call("configure", values) is False
        at_once = {each.name for each in self.offered(server) if not each.restart and each.name in values}
        kept = {name: value for name, value in values.items() if name not in at_once}
        assert server.hands.call("configure", {**kept, **dict.fromkeys(at_once)}) is False
        server.hands.call("configure", {})
        assert server.stop() == 0
        server.start()

    def test_one_that_waits_for_a_restart_says_so(self, server: Server) -> None:
        late = next(each for each in self.offered(server) if each.restart and each.kind is Kind.INTEGER)
        assert late.default is not None
        assert server.hands.call("configure", {late.name: int(late.default) + 1}) is True
        assert server.hands.call("configure", {}) is False

    def test_what_the_server_refuses_it_refuses_in_its_own_words(self, server: Server) -> None:
        with pytest.raises(errors.Rejected) as caught:
            server.hands.call("configure", self.wrong)
        ((name, value),) = self.wrong.items()
        assert name in caught.value.message.lower() or value in caught.value.message
        assert server.hands.call("configure", {}) is False

    def _settable(self, each: Parameter, server: Server) -> bool:
        """What asks for more memory than the server of a test has is left out."""
        memory = each.bytes_of(each.default) if each.default is not None else LARGEST
        return memory < server.site.memory // 8


class PostgresqlParameters(ParametersContract):
    engine = "postgresql"
    wrong: ClassVar = {"timezone": "Nowhere/Atlantis"}
    kinds: ClassVar = {"integer": "integer", "real": "float", "bool": "boolean", "string": "string", "enum": "string"}

    def test_they_are_what_the_server_says(self, server: Server, tenant: Tenant) -> None:
        rows = tenant.run("SELECT lower(name), vartype, context, min_val, max_val, enumvals FROM pg_settings")
        known = {name: rest for name, *rest in rows}
        for each in self.offered(server):
            vartype, context, least, most, choices = known[each.name]
            assert each.kind == self.kinds[vartype], each
            assert each.restart is (context == "postmaster"), each
            assert context not in {"internal", "backend"}, each
            assert set(each.choices) <= set(choices or ()), each
            within(each, least, most)


class TestPostgresql15(PostgresqlParameters):
    version = "15"


class TestPostgresql17(PostgresqlParameters):
    version = "17"


class TestMariadb(ParametersContract):
    engine = "mysql"
    version = "10.11"
    wrong: ClassVar = {"lc_time_names": "xx_YY"}

    def test_they_are_what_the_server_says(self, server: Server, tenant: Tenant) -> None:
        rows = tenant.run(
            "SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE, READ_ONLY, NUMERIC_MIN_VALUE, NUMERIC_MAX_VALUE,"
            " ENUM_VALUE_LIST FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_SCOPE <> 'SESSION ONLY'"
        )
        known = {name: rest for name, *rest in rows}
        for each in self.offered(server):
            vartype, fixed, least, most, choices = known[each.name]
            assert each.kind == self.kind(vartype), each
            assert each.restart is (fixed == "YES"), each
            assert {*each.choices, *each.members} <= set((choices or "").split(",")), each
            within(each, least, most)

    def kind(self, vartype: str) -> Kind:
        if "INT" in vartype:
            return Kind.INTEGER
        return {"DOUBLE": Kind.FLOAT, "BOOLEAN": Kind.BOOLEAN}.get(vartype, Kind.STRING)


class TestRedis(ParametersContract):
    engine = "redis"
    version = "7.0"
    wrong: ClassVar = {"notify-keyspace-events": "???"}

    def test_they_are_what_the_server_says(self, server: Server) -> None:
        """Redis tells neither types nor bounds: the default is of the type, and both bounds are accepted."""
        for each in self.offered(server):
            for value in {each.default, each.minimum, *each.choices} - {None}:
                if not each.bytes_of(value):
                    assert server.hands.call("configure", {each.name: value}) is self.waits(each, value), (each, value)
        server.hands.call("configure", {})

    def waits(self, each: Parameter, value: object) -> bool:
        """What is so already waits for nothing."""
        return each.restart and value != each.default


def within(each: Parameter, least: str | None, most: str | None) -> None:
    """The declared bounds are the server's or narrower."""
    if each.kind not in (Kind.INTEGER, Kind.FLOAT):
        return
    assert each.minimum is not None, each
    assert each.minimum >= float(least or "-inf"), each
    assert each.maximum is None or each.maximum <= float(most or "inf"), each
