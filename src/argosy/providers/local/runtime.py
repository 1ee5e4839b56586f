"""The interpreter and the code that guests run, found where this process has its own."""

from __future__ import annotations

import compileall
import os
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import argosy

INIT = "from argosy.agent import init; sys.exit(init.main(sys.argv[1:]))"


@dataclass(frozen=True)
class Runtime:
    base: Path
    """prefix of the interpreter itself, not of a virtual environment"""
    interpreter: Path
    package: Path
    """the directory `argosy`"""
    libraries: tuple[Path, ...]
    """directories of installed packages"""
    agent: tuple[str, ...] = ("-m", "argosy.agent")

    def path(self) -> Sequence[Path]:
        return (self.package.parent, *self.libraries)

    def init(self, state: Path) -> Sequence[str]:
        """Arguments of a guest's first process; it replaces {lock} by a descriptor.

        Neither `site` nor the environment decides what it imports, and the agent gets the libraries on top.
        """
        code = f"import sys; sys.path.insert(0, {str(self.package.parent)!r}); {INIT}"
        agent = (str(self.interpreter), "-S", "-P", "-s", *self.agent, str(state))
        return (str(self.interpreter), "-I", "-S", "-c", code, "{lock}", str(state), *agent)

    def environment(self, home: Path) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(map(str, self.path())),
        }


def here() -> Runtime:
    """With the code compiled: guests cannot keep what they compile, and would do it at every start."""
    found = _found()
    for part in ("agent", "engines", "model", "stores"):
        compileall.compile_dir(found.package / part, quiet=2)
    return found


def interpreter() -> Path:
    """Itself, not that of a virtual environment."""
    return Path(sys.base_prefix).resolve() / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def _found() -> Runtime:
    libraries = {*site.getsitepackages(), *(sysconfig.get_path(each) for each in ("purelib", "platlib"))}
    return Runtime(
        base=Path(sys.base_prefix).resolve(),
        interpreter=interpreter(),
        package=Path(argosy.__file__).resolve().parent,
        libraries=tuple(sorted(Path(each) for each in libraries if Path(each).is_dir())),
    )
