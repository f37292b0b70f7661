"""Removes what Tekton could not: releases whose run is gone or over and has left them; and pods that make it wait."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from scheduler import names
from scheduler.cluster.mirror import JobKey
from scheduler.errors import SchedulerError
from scheduler.jobs import orphans
from scheduler.jobs.backlog import Backlog
from scheduler.jobs.clean import Cleaned, clean
from scheduler.jobs.lease import Lease
from scheduler.jobs.orphans import Orphan, Verdict
from scheduler.jobs.ports import Ports
from scheduler.jobs.untold import Untold
from scheduler.release import install_pods

SCAN_SECONDS: Final = 600.0
"""Between two looks at all releases of an environment: for what no watch has told of."""
_SCAN_AGAIN_SECONDS: Final = 60.0
_FORCED_PATIENCE_SECONDS: Final = 10.0
_MANY: Final = 4
"""Jobs without a run from which on it is dearer to look at each of them than once at all."""
_AT_ONCE: Final = 2
"""Each is a helm program of up to 80 MiB."""
_log = logging.getLogger(__name__)


class Janitor:
    """One replica's janitor; of several only the holder of the Lease works. What it knows it can lose at any time."""

    def __init__(self, ports: Ports, *, holder: str, clock: Callable[[], float] = time.monotonic) -> None:
        settings = ports.settings
        self._ports = ports
        self._clock = clock
        self._lease = Lease(
            ports.cluster,
            name=names.janitor_lease(settings.platform),
            namespace=settings.platform_namespace,
            holder=holder,
            clock=clock,
        )
        self._backlog = Backlog(ports.board)
        self._scans: dict[str, float] = {}
        """Environment -> when everything in it is looked at next."""
        self.is_holder = False
        self._untold = Untold(ports.board.mirror)
        listening = (self._backlog.touch, self._untold.touch)
        self._leave = [ports.board.mirror.listen(touch) for touch in listening]

    def round(self) -> Iterator[Cleaned]:
        """Look at whatever is due, remove what is to be removed, and tell of each that was not simply gone."""
        if not self._holds():
            return
        known = self._ports.known()
        if not self._ports.settings.janitor.is_dry_run:
            self._untold.remove(known, now=self._clock(), ports=self._ports)
        self._backlog.gather(known, now=self._clock())
        for environment in known:
            self._scan(environment)
        due = [(key, age) for key, age in self._backlog.due(now=self._clock()) if key[0] in known]
        gone = {key for environment in known for key in self._absent(environment, [key for key, _ in due])}
        due = [(key, age) for key, age in due if key not in gone]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for first in range(0, len(due), _AT_ONCE):
                if first and not self._holds():
                    return
                for done in threads.map(self._see_to, due[first : first + _AT_ONCE]):
                    yield from done

    def stop(self) -> None:
        """Leave the work to another replica."""
        for leave in self._leave:
            leave()
        if self.is_holder:
            self.is_holder = False
            self._lease.give_back()

    def _holds(self) -> bool:
        was_holder = self.is_holder
        self.is_holder = False
        self.is_holder = self._lease.hold()
        if was_holder and not self.is_holder:
            self._backlog.forget()
            self._scans.clear()
            self._untold.forget()
        return self.is_holder

    def _scan(self, environment: str) -> None:
        now = self._clock()
        if now < self._scans.get(environment, 0.0):
            return
        self._scans[environment] = now + _SCAN_AGAIN_SECONDS
        try:
            found = orphans.present(environment, ports=self._ports)
        except SchedulerError as error:
            _log.warning("could not look for releases in '%s': %s", environment, error)
            return
        self._scans[environment] = now + SCAN_SECONDS
        for release in found:
            job = self._ports.board.job(environment, release)
            if job is None or job.state.is_finished:
                self._backlog.add((environment, release), now=now)

    def _absent(self, environment: str, due: Iterable[JobKey]) -> Iterator[JobKey]:
        """Strike out the many of which nothing is left: whoever deletes a thousand runs must not hold up the others."""
        runs = self._ports.board.run
        without = [release for place, release in due if place == environment and runs(place, release) is None]
        if len(without) < _MANY:
            return
        try:
            absent = orphans.absent(environment, without, ports=self._ports)
        except SchedulerError as error:
            _log.warning("could not look for releases in '%s': %s", environment, error)
            return
        for release in absent:
            self._backlog.done((environment, release))
            yield environment, release

    def _see_to(self, due: tuple[JobKey, float]) -> tuple[Cleaned, ...]:
        key, age = due
        try:
            orphan = orphans.look(*key, ports=self._ports, is_patient=age < install_pods.PATIENCE_SECONDS)
            if orphan.is_forced and orphan.verdict is Verdict.WAIT and age >= _FORCED_PATIENCE_SECONDS:
                orphan = orphans.look(*key, ports=self._ports, is_patient=False)
        except SchedulerError as error:
            self._backlog.again(key, now=self._clock())
            return (Cleaned(orphan=_unseen(key), message=str(error)),)
        is_settled = orphan.verdict is Verdict.KEEP or not (orphan.objects or orphan.run_uid)
        if is_settled and orphan.verdict is not Verdict.WAIT:
            self._backlog.done(key)
            return ()
        if orphan.verdict is Verdict.WAIT or self._ports.settings.janitor.is_dry_run:
            self._backlog.again(key, now=self._clock())
            return () if orphan.verdict is Verdict.WAIT else (Cleaned(orphan=orphan, message=orphan.why),)
        done = clean(orphan, ports=self._ports)
        if done.is_gone:
            self._backlog.done(key)
        else:
            self._backlog.again(key, now=self._clock())
        return (done,)


def _unseen(key: JobKey) -> Orphan:
    return Orphan(environment=key[0], release=key[1], verdict=Verdict.WAIT, why="it could not be looked at")
