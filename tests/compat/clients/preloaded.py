"""Runs in the clients' own environment: `openstack` and `trove`, imported once, then forked for every command.

Reads {"program", "arguments", "environment"} per line, answers {"status", "out", "err"} per line. What a command does
it does in a process of its own, by the very function that the installed script calls.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import IO, Any

SCRIPTS = {"openstack": "openstackclient.shell", "trove": "troveclient.shell"}
GROUPS = ("openstack.database.v1", "openstack.identity.v3", "openstack.cli.base")


def main() -> None:
    mains = {program: importlib.import_module(module).main for program, module in SCRIPTS.items()}
    _warm()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = _run(mains[asked["program"]], asked)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _warm() -> None:
    """Import what commands would import one by one."""
    for group in GROUPS:
        for each in entry_points(group=group):
            each.load()


def _run(script: Callable[[], Any], asked: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = os.fork()
        if child == 0:
            _become(script, asked, out, err)
        _, status = os.waitpid(child, 0)
        return {"status": os.waitstatus_to_exitcode(status), "out": _written(out), "err": _written(err)}


def _become(script: Callable[[], Any], asked: dict[str, Any], out: IO[str], err: IO[str]) -> None:
    """The program, as its script would start it; does not return."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [asked["program"], *asked["arguments"]]
    status: Any = 1
    try:
        status = script()
    except SystemExit as ended:
        status = ended.code
    except BaseException:  # noqa: BLE001 - what a script would end with, whatever it is
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


def _written(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


if __name__ == "__main__":
    main()
