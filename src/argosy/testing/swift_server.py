"""A real Swift in processes and a virtual environment of its own: proxy, account, container and object server on
loopback, with large objects, quotas, and either TempAuth and the S3 API that checks signatures, or Keystone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from argosy.testing import claims, environments
from argosy.testing.waiting import eventually

VENV = Path(os.environ.get("ARGOSY_SWIFT_VENV") or Path(__file__).parents[3] / ".venv-swift")
PACKAGES = ("swift==2.38.3", "keystonemiddleware==13.0.1")
USER, KEY = "test:tester", "testing"
"""of TempAuth; to the S3 API they are access key and secret key"""
SERVERS = ("account", "container", "object")

COMMON = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {home}
devices = {home}/devices
mount_check = false
fallocate_reserve = 0
log_name = {name}
log_address = {home}/nowhere
"""
STORAGE = """
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PROXY = """
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache {auth} copy container-quotas slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
paste.filter_factory = one_process_cache:filter_factory
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
auth_type = password
auth_url = {keystone}
www_authenticate_uri = {keystone}
username = admin
password = {password}
project_name = admin
user_domain_name = Default
project_domain_name = Default
delay_auth_decision = true
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""

CACHE = """
class Cache(dict):
    def __bool__(self): return True
    def set(self, key, value, *_, **__): self[key] = value
    def get(self, key, *_, **__): return super().get(key)
    def incr(self, key, delta=1, *_, **__): return self.setdefault(key, 0) + delta
    def delete(self, key, *_, **__): self.pop(key, None)

def filter_factory(_settings, **_more):
    cache = Cache()
    def filtered(app):
        def serve(environ, start_response):
            environ["swift.cache"] = cache
            return app(environ, start_response)
        return serve
    return filtered
"""
"""TempAuth keeps tokens in memcached, which one proxy process does not need."""


@dataclass
class Swift:
    """`kill` and `start` as often as wanted; what was stored stays."""

    home: Path
    ports: dict[str, int]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    @property
    def url(self) -> str:
        """Of the S3 API"""
        return f"http://127.0.0.1:{self.ports['proxy']}"

    @property
    def auth_url(self) -> str:
        return f"{self.url}/auth/v1.0"

    def start(self) -> None:
        """Unless it runs, or was ended for good meanwhile. The proxy comes last: one whose other servers are not there
        yet says that there is no such container.
        """
        with self._lock:
            if self._ended:
                return
            if not self.processes:
                self.processes = {name: self._serve(name) for name in self.ports if name != "proxy"}
                eventually(lambda: all(_listens(self.ports[name]) for name in self.processes), within=60)
                self.processes["proxy"] = self._serve("proxy")
        eventually(self.answers, within=60)

    def start_in(self, seconds: float) -> threading.Timer:
        """To be joined."""
        timer = threading.Timer(seconds, self.start)
        timer.start()
        return timer

    def kill(self) -> None:
        """All of it at once, in the middle of whatever it does."""
        with self._lock:
            for process in reversed(self.processes.values()):  # the proxy first, which would blame the others
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)
            self.processes = {}

    def end(self) -> None:
        self._ended = True
        self.kill()

    def answers(self) -> bool:
        processes = self.processes
        for name, process in processes.items():
            assert process.poll() is None, (self.home / f"{name}.log").read_text()
        if not processes or not all(map(_listens, self.ports.values())):
            return False
        try:
            return urllib3.request("GET", f"{self.url}/healthcheck", retries=False, timeout=5).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _serve(self, name: str) -> subprocess.Popen[bytes]:
        argv = [str(VENV / "bin" / f"swift-{name}-server"), str(self.home / f"{name}-server.conf"), "-v"]
        environment = {**os.environ, "PYTHONPATH": str(self.home)}
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                argv, stdout=log, stderr=log, cwd=self.home, env=environment, start_new_session=True
            )

    def limit(self, container: str, quota: int | None) -> None:
        """The most bytes that a container may hold; None: no limit."""
        self.post(container, {"X-Container-Meta-Quota-Bytes": "" if quota is None else str(quota)})

    def post(self, path: str, headers: dict[str, str], method: str = "POST") -> None:
        """As the tenant itself; an empty path is the account."""
        login = urllib3.request("GET", self.auth_url, headers={"X-Auth-User": USER, "X-Auth-Key": KEY}, retries=False)
        token = {"X-Auth-Token": login.headers["X-Auth-Token"]}
        place = login.headers["X-Storage-Url"] + (f"/{path}" if path else "")
        answer = urllib3.request(method, place, headers={**headers, **token}, retries=False)
        assert answer.status < 300, answer.data


def installed() -> None:
    """Skips the test where it is not, unless REQUIRE_ENGINES names swift: then it is installed (90 MB)."""
    environments.require("swift", VENV, PACKAGES)


@contextmanager
def running(keystone: str = "", password: str = "") -> Iterator[Swift]:
    """A Swift that answers, with an empty account: of its own, or of Keystone's project `admin`. Its file system must
    keep extended attributes.
    """
    installed()
    auth = "authtoken keystoneauth" if keystone else "s3api tempauth"
    with tempfile.TemporaryDirectory(prefix="ag-swift-", dir="/var/tmp") as directory:
        swift = Swift(Path(directory), {name: claims.port() for name in (*SERVERS, "proxy")})
        _configure(swift, auth=auth, keystone=keystone, password=password)
        try:
            swift.start()
            yield swift
        finally:
            swift.end()


def _configure(swift: Swift, **more: str) -> None:
    (swift.home / "devices" / "d1").mkdir(parents=True)
    (swift.home / "one_process_cache.py").write_text(CACHE)
    (swift.home / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = tests\n")
    for name, port in swift.ports.items():
        told: dict[str, Any] = {"home": swift.home, "name": name, "port": port, "user": _user(), **more}
        rest = PROXY if name == "proxy" else STORAGE
        (swift.home / f"{name}-server.conf").write_text((COMMON + rest).format(**told))
        if name != "proxy":
            _ring(swift, name, port)


def _ring(swift: Swift, name: str, port: int) -> None:
    builder = swift.home / f"{name}.builder"
    device = f"r1z1-127.0.0.1:{port}/d1"
    for command in (("create", "1", "1", "1"), ("add", device, "1"), ("rebalance",)):
        argv = [VENV / "bin" / "swift-ring-builder", builder, *command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.returncode < 2, done.stdout + done.stderr  # 1: a warning


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False
