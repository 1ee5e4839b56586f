"""Verb -> what is done about it. Every verb may be repeated: an agent that was killed in the middle does it again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from argosy import clock, errors
from argosy.agent import accounts, history
from argosy.agent.accounts import AccountVerbs
from argosy.agent.archive import ArchiveVerbs
from argosy.agent.backups import LONG, BackupVerbs
from argosy.agent.collector import Collector
from argosy.agent.configuration import Configuration
from argosy.agent.diagnostics import Diagnostics
from argosy.agent.excerpts import ExcerptVerbs
from argosy.agent.guest import Guest
from argosy.agent.lifecycle import Lifecycle
from argosy.agent.logs import LogVerbs
from argosy.agent.modules import ModuleVerbs
from argosy.agent.shipper import Shipper
from argosy.agent.task import Task
from argosy.agent.tls import TlsHands
from argosy.agent.upgrade import UpgradeVerbs
from argosy.agent.watch import Watch
from argosy.model.guest import Health, Identity, Probe, ServiceSpec

FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1
"""seconds between two looks at a server that is starting"""
START_SECONDS = 600.0
"""for a server to answer: it may have much to recover"""
SOON_SECONDS = 15.0
"""for a server that is just starting to say which settings it has"""

Arguments = Mapping[str, Any]
Result = dict[str, Any]


class Hands:
    """The verbs, on one guest."""

    def __init__(self, guest: Guest, watch: Watch, configuration: Configuration, collector: Collector) -> None:
        self._guest = guest
        self._watch = watch
        self._configuration = configuration
        self.shipper = Shipper(guest)
        watch.beside = self.shipper.metrics
        self.verbs: Mapping[str, Callable[[Task, Arguments], Result]] = {
            "prepare": self.prepare,
            "install": self.install,
            "start": self.start,
            "stop": self.stop,
            "restart": self.restart,
            "configure": self.configure,
            **TlsHands(guest, configuration).verbs,
            "rotate_credential": self.rotate_credential,
            **AccountVerbs(guest).verbs,
            **LogVerbs(guest, collector).verbs,
            **ModuleVerbs(guest).verbs,
            **Diagnostics(guest).verbs,
            **Lifecycle(guest, configuration, self, watch.look).verbs,
            **UpgradeVerbs(guest, configuration, self).verbs,
            **BackupVerbs(guest, self).verbs,
            **ArchiveVerbs(guest, self.shipper, self).verbs,
            **ExcerptVerbs(guest).verbs,
        }
        self.long = LONG

    def prepare(self, task: Task, arguments: Arguments) -> Result:
        """From a cloned volume to a server that answers, with its own identity, certificate and accounts."""
        return self.bring_up(task, arguments, self._guest.boot.identity)

    def bring_up(self, task: Task, arguments: Arguments, identity: Identity) -> Result:
        """From data that have no server yet to one that answers, as this guest's own; stopped unless `run`."""
        self._guest.require_whole()
        self.settle(arguments, identity)
        if not arguments.get("run", True):
            return self._configuration.told()
        driver = self._guest.driver()
        self._guest.service.start(driver.service())
        version = self.await_healthy(task).version
        accounts.put(driver, arguments)
        return {"version": version, **self._configuration.told()}

    def settle(self, arguments: Arguments, identity: Identity) -> None:
        """Make the data this guest's own, ready for a server to be started on them."""
        certificate = _Beside(self._guest.certify)
        if not self._guest.service.status().wanted:
            self._guest.driver().adopt(identity)
            history.want(self._guest, arguments)
        certificate.join()
        self._configuration.apply(arguments.get("overrides", {}))

    def install(self, _task: Task, _arguments: Arguments) -> Result:
        """The volume becomes a template; the engine is left stopped."""
        self._guest.service.stop()
        self._guest.driver().install()
        return {}

    def start(self, task: Task, arguments: Arguments) -> Result:
        history.want(self._guest, arguments)
        self._configuration.apply(arguments.get("overrides"))
        return self.raise_up(task, self._guest.driver().service())

    def raise_up(self, task: Task, service: ServiceSpec) -> Result:
        """Have this process started, and answering."""
        self._guest.require_whole()
        self._watch.forgive()
        self._guest.service.start(service)
        return {"version": self.await_healthy(task).version, **self._configuration.told()}

    def stop(self, _task: Task, _arguments: Arguments) -> Result:
        self._guest.service.stop()
        return {}

    def restart(self, task: Task, arguments: Arguments) -> Result:
        self._guest.require_whole()
        self._watch.forgive()
        self._configuration.apply(arguments.get("overrides"))
        driver, service = self._guest.driver(), self._guest.service
        ran = service.status().running
        service.start(driver.service())  # never stop and start: an agent killed in between would leave it stopped
        if ran:
            service.restart()
        return {"version": self.await_healthy(task).version, **self._configuration.told()}

    def configure(self, task: Task, arguments: Arguments) -> Result:
        """A server that was just starting may have read what stood there before: it is asked once it answers."""
        asked = self._configuration.process() if self._watch.look().health is Health.HEALTHY else ""
        late = self._configuration.apply(arguments.get("overrides"))
        if self._configuration.process() not in ("", asked):
            late = self._configuration.apply() if self._answers_soon(task) else True
        return {"restart_required": late, **self._configuration.told()}

    def rotate_credential(self, _task: Task, _arguments: Arguments) -> Result:
        self._guest.keys.rotate()
        return {}

    def await_healthy(self, task: Task) -> Probe:
        """Raises GuestFailed with the server's own words when it cannot be started."""
        end, pause = clock.monotonic() + START_SECONDS, FIRST_PAUSE
        while (seen := self._watch.look()).health is not Health.HEALTHY:
            if seen.health is Health.FAILED or clock.monotonic() > end:
                raise errors.GuestFailed(seen.message or f"the server does not answer: it is {seen.health}")
            task.pause(pause)
            pause = min(pause * 1.1, LONGEST_PAUSE)
        return seen

    def _answers_soon(self, task: Task) -> bool:
        end = clock.monotonic() + SOON_SECONDS
        while (seen := self._watch.look()).health is not Health.HEALTHY:
            if seen.health is Health.FAILED or clock.monotonic() > end:
                return False
            task.pause(LONGEST_PAUSE)
        return True


class _Beside:
    """A call that runs while something else is done."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - raised again in join
            self._error = error
