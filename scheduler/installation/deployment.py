"""`deploy`: install or upgrade the platform's applications with the images that there are, or leave all as it was."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scheduler import digests, names
from scheduler.cluster.port import Cluster
from scheduler.errors import (
    ConflictError,
    DigestMismatchError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    ProgramError,
    SchedulerError,
    UnavailableError,
)
from scheduler.helm.port import Helm, ReleaseState, ReleaseStatus
from scheduler.images import build
from scheduler.installation import unready
from scheduler.model.problem import Problem
from scheduler.model.types import Values
from scheduler.preprocess import quotas, resources
from scheduler.preprocess.merge import merge
from scheduler.release.stop import Stop

READY_SECONDS: Final = 300.0
_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    release: str
    """The platform's name; its applications are a release of their own."""
    namespace: str
    chart: Path
    values: Path
    """JSON: the platform's values."""
    values_digest: str
    """`sha256:…` that the bytes of `values` must have."""
    registry: str
    pull_registry: str
    images: Mapping[str, str]
    """Image name -> reference by digest, as builds name the registry; empty: the values name all images."""
    ready_seconds: float = READY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    cluster: Cluster
    helm: Helm
    stop: Stop
    watch_seconds: float = 3.0
    """Between two looks at what is not ready."""


def deploy(order: Order, *, ports: Ports) -> str:
    """What was done, in a sentence.

    Servers that no quota of the namespace could ever hold are an InvalidInputError, and nothing is touched. What
    another attempt left half done is undone first. When something does not get ready in time, the revision before is
    brought back and the ProgramError says what was not ready, and why.
    """
    values = applied(order)
    for attempt in range(1, _ATTEMPTS + 1):
        ports.stop.check()
        try:
            _check_room(order, values, ports)
            _mend(order, ports)
            done = _upgrade(order, values, ports)
        except (UnavailableError, ConflictError):
            ports.stop.check()  # helm fails when it is terminated
            if attempt == _ATTEMPTS:
                raise
            _log.exception("the API server or helm's record is not at our disposal; trying again")
            ports.stop.pause(_PAUSE_SECONDS)
        else:
            return f"{done.name} is deployed, revision {done.revision}"
    raise AssertionError


def applied(order: Order) -> Values:
    """The values of the applications' release: the platform's, with the face and the images that this release has.

    An image that is given for a chart that is switched off is left out, so that no job is accepted that needs it.
    """
    given = _checked(order)
    images = build.named(order.images, push=order.registry, pull=order.pull_registry or order.registry)
    known = {
        name: reference
        for name, reference in {**(given.get("global", {}).get("images") or {}), **images}.items()
        if name == names.RUNTIME or _is_on(given.get(name))
    }
    problems = [
        Problem(pointer=f"global.images.{name}", message=f"'{reference}' has no digest; give <repository>@sha256:…")
        for name, reference in known.items()
        if "@sha256:" not in str(reference)
    ]
    if not known:
        problems.append(Problem(pointer="global.images", message="no image is named, and none was built"))
    if problems:
        raise InvalidInputError(problems)
    own = {"render": "applications", "platform": {"name": order.release}}
    merged = merge(given, {"global": own})
    return {**merged, "global": {**merged["global"], "images": known}}


def _is_on(chart: object) -> bool:
    return not isinstance(chart, Mapping) or chart.get("enabled") is not False


def _checked(order: Order) -> dict[str, Any]:
    content = order.values.read_bytes()
    found = digests.of(content)
    if found != order.values_digest:
        raise DigestMismatchError(
            f"the platform's values have the digest {found}, not {order.values_digest}: they were changed after this "
            "installation began; a newer one installs them"
        )
    values = json.loads(content)
    if not isinstance(values, dict):
        raise InvalidInputError([Problem(document=order.values.name, message="must be a mapping")])
    return values


def _check_room(order: Order, values: Values, ports: Ports) -> None:
    """What a full namespace would only tell when helm's time is over is told at once where it cannot get better."""
    try:
        listed = ports.cluster.list("ResourceQuota", order.namespace)
    except ForbiddenError as error:  # roles that an earlier release of prerequisites made
        _log.info("cannot see whether the servers fit: %s", error)
        return
    found = [one for one in listed if quotas.counts(one, "")]
    if not found:
        return
    release = names.applications_release(order.release)
    objects = ports.helm.template(release, chart=order.chart, values=values, namespace=order.namespace)
    asked = resources.totals(objects)
    problems = [
        Problem(
            pointer=f"quota '{lack.quota}' of namespace '{order.namespace}'",
            message=f"the servers need {lack.resource} {lack.need}, and it allows {lack.hard}",
        )
        for quota in found
        for lack in quotas.lacking(asked, quota)
    ]
    if problems:
        raise InvalidInputError(problems, summary="the applications do not fit, and nothing was changed")


def _mend(order: Order, ports: Ports) -> None:
    """Bring the release back to its last good revision, or away when it has none, unless it is in order."""
    name = names.applications_release(order.release)
    found = ports.helm.status(name, namespace=order.namespace)
    if found is None or found.state is ReleaseState.DEPLOYED:
        return
    _log.warning("revision %s of %s is %s: an earlier deployment did not end", found.revision, name, found.state)
    try:
        if found.state is ReleaseState.UNINSTALLING:
            raise NotFoundError(name)
        ports.helm.rollback(name, namespace=order.namespace)
    except NotFoundError:
        ports.helm.uninstall(name, namespace=order.namespace)


def _upgrade(order: Order, values: Values, ports: Ports) -> ReleaseStatus:
    with _watching(order, ports) as watch:
        try:
            return ports.helm.upgrade(
                names.applications_release(order.release),
                chart=order.chart,
                values=values,
                namespace=order.namespace,
                labels={names.INSTALLATION: order.release},
                ready_seconds=order.ready_seconds,
            )
        except ProgramError as error:
            ports.stop.check()  # helm fails when it is terminated
            if not watch.found:
                raise
            message = f"the applications did not get ready, and the revision before is back: {watch.found}"
            raise ProgramError(f"{message} ({str(error).strip()})", output=error.output) from error


class _Watch(threading.Thread):
    """Looks, while helm waits, at what helm does not tell."""

    def __init__(self, order: Order, ports: Ports) -> None:
        super().__init__(daemon=True)
        self.found = ""
        """What was not ready when last something was not."""
        self._order = order
        self._ports = ports
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._ports.watch_seconds):
            self._look()

    def end(self) -> None:
        self._over.set()
        self.join()

    def _look(self) -> None:
        labels = {"app.kubernetes.io/instance": self._order.release}
        cluster, namespace = self._ports.cluster, self._order.namespace
        try:
            seen = unready.described(
                cluster.list("Deployment", namespace, labels=labels), cluster.list("Pod", namespace, labels=labels)
            )
        except SchedulerError as error:
            _log.info("cannot see what is not ready: %s", error)
            return
        if seen and seen != self.found:
            self.found = seen
            _log.warning("not ready: %s", seen)


@contextmanager
def _watching(order: Order, ports: Ports) -> Iterator[_Watch]:
    watch = _Watch(order, ports)
    watch.start()
    try:
        yield watch
    finally:
        watch.end()
