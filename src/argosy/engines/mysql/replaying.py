"""Runs what was chosen of a binary log in a server that nobody else reaches, by the server's own tools."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from argosy import errors
from argosy.engines import programs
from argosy.engines.archiving import Logs, Moment, Target
from argosy.engines.mysql import secluded, tools, way
from argosy.engines.mysql.way import Stretch
from argosy.model.guest import Site

WORDS = 500


def replay(site: Site, logs: Logs, position: Mapping[str, Any], target: Target) -> Moment:
    """Everything is looked through first: nothing is run of a log that is broken or does not lead to the target."""
    found = way.find(logs.all(str(position.get("file", ""))), position, target)
    if found.stretches:
        with tempfile.TemporaryDirectory(dir=site.state) as scratch:
            _run(site, found.stretches, Path(scratch))
        logs.forget()
        programs.run("sync", "--file-system", site.data)
    file, offset = found.place
    return Moment({"file": file, "offset": offset, "gtid": found.gtid}, found.at)


def _run(site: Site, stretches: Sequence[Stretch], scratch: Path) -> None:
    with (
        secluded.server(site, scratch, secluded.as_configured(site)) as here,
        tools.login(scratch, here.socket, here.password) as login,
        _client(secluded.client(site, login), scratch / "client.log") as statements,
    ):
        for each in stretches:
            _feed(site, each, statements, scratch)


@contextmanager
def _client(argv: Sequence[str | Path], log: Path) -> Iterator[IO[bytes]]:
    """What runs what it is given. Raises GuestFailed in its words: they are better than those of who feeds it."""
    with log.open("w+b") as said:
        client = subprocess.Popen(
            argv, env=dict(programs.ENVIRONMENT), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
        )
        statements = client.stdin
        assert statements is not None  # noqa: S101 - for the type checker: it was asked for
        try:
            yield statements
        except errors.GuestFailed as error:
            client.wait()
            raise _failed(client, log, str(error)) from error
        else:
            statements.close()
            if client.wait():
                raise _failed(client, log, "")
        finally:
            client.kill()
            client.wait()
            statements.close()


def _failed(client: subprocess.Popen[bytes], log: Path, otherwise: str) -> errors.GuestFailed:
    words = log.read_text(encoding="utf-8", errors="replace").strip()[-WORDS:]
    return errors.GuestFailed(f"the binary log cannot be run: {words or otherwise or client.returncode}")


def _feed(site: Site, stretch: Stretch, statements: IO[bytes], scratch: Path) -> None:
    programs.stream(
        tools.find(site.root, tools.BINLOG),
        "--no-defaults",
        f"--start-position={stretch.start}",
        f"--stop-position={stretch.end}",
        stretch.path,
        into=statements.fileno(),
        cwd=scratch,
    )
