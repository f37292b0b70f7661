"""Task `install`: helm-install the job's release, once."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, ForbiddenError, ProgramError, SchedulerError, UnavailableError
from scheduler.helm.port import ReleaseState
from scheduler.model import canonical
from scheduler.model.job import Reason
from scheduler.model.types import Manifest, Values
from scheduler.preprocess import values_text
from scheduler.release import removal
from scheduler.release.ports import Ports
from scheduler.release.stop import StoppedError

_PAUSE_SECONDS: Final = 1.0
_REFUSED_SECONDS: Final = 15.0
"""An API server that has just started refuses everybody, until it has read the roles that there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be installed, and what its digests must be."""

    job: str
    namespace: str
    chart: Path
    folder: Path
    """With `ir.json` and `values.yaml`."""
    ir_digest: str
    values_digest: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    reason: Reason = Reason.NONE
    message: str = ""
    chart_digest: str = ""

    @property
    def is_success(self) -> bool:
        return self.reason is Reason.NONE

    def fields(self) -> dict[str, object]:
        return {
            "outcome": "Succeeded" if self.is_success else "Failed",
            "reason": self.reason.value,
            "message": self.message,
            "chartDigest": self.chart_digest,
        }


class _Found(Enum):
    """What there is of the release before anything is done."""

    NOTHING = auto()
    DONE = auto()
    """Installed already, with these very values."""
    HALF = auto()
    """Ours, but an earlier attempt did not come to its end."""
    OTHER = auto()
    """Deployed by us with other values."""
    FOREIGN = auto()


def run(order: Order, *, ports: Ports) -> Installed:
    """Look first: the same release is a success, a half-made one is removed and made anew, any other is left alone.

    Outages are waited for until `order.seconds` have passed. That the objects become ready is for `wait` to see.
    """
    deadline = ports.clock() + order.seconds
    given = _checked(order)
    if isinstance(given, str):
        done = Installed(reason=Reason.INPUT_DIGEST_MISMATCH, message=given)
    else:
        done = _until(deadline, order, given, ports)
    return replace(done, chart_digest=digest_of(order.chart))


def _until(deadline: float, order: Order, values: Values, ports: Ports) -> Installed:
    refused_at: float | None = None
    while True:
        ports.stop.check()
        try:
            done = _attempt(order, values, deadline=deadline, ports=ports)
            if done.is_success or ports.clock() < deadline:
                return done
            message = done.message
        except (UnavailableError, ConflictError) as error:
            ports.stop.check()  # helm fails when it is terminated
            message = str(error)
        except StoppedError:
            raise
        except ForbiddenError as error:
            ports.stop.check()
            message, refused_at = str(error), refused_at or ports.clock()
            if ports.clock() - refused_at >= _REFUSED_SECONDS:
                return Installed(reason=Reason.INSTALL_FAILED, message=message)
        except SchedulerError as error:
            return Installed(reason=Reason.INSTALL_FAILED, message=str(error))
        if ports.clock() >= deadline:
            text = f"not installed within {order.seconds:g} s: {message}"
            return Installed(reason=Reason.INSTALL_DEADLINE, message=text)
        ports.stop.pause(_PAUSE_SECONDS)


def digest_of(chart: Path) -> str:
    """`sha256:` over the names and contents of all files of a chart, its sub-charts among them."""
    files = {
        path.relative_to(chart).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder, _, names_ in os.walk(chart, followlinks=True)
        for path in (Path(folder) / name for name in names_)
    }
    return canonical.digest(files)


def _checked(order: Order) -> Values | str:
    """The Values; or why the input is not what was submitted."""
    try:
        documents = json.loads((order.folder / "ir.json").read_bytes())
        values = values_text.from_yaml((order.folder / "values.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        return f"the job's input cannot be read: {error}"
    for what, wanted, found in (
        ("IR", order.ir_digest, canonical.digest(documents)),
        ("Values", order.values_digest, canonical.digest(values)),
    ):
        if found != wanted:
            return f"the {what} in the job's input have the digest {found}, not {wanted}"
    return values


def _attempt(order: Order, values: Values, *, deadline: float, ports: Ports) -> Installed:
    """Raises UnavailableError or ConflictError for what may be tried again."""
    found = _look(order, ports.cluster)
    if found is _Found.DONE:
        return Installed()
    if found in {_Found.FOREIGN, _Found.OTHER}:
        whose = "that is not this job's" if found is _Found.FOREIGN else "with other values"
        message = f"a Helm release '{order.job}' {whose} is in namespace '{order.namespace}'; it is left alone"
        return Installed(reason=Reason.INSTALL_FAILED, message=message)
    if found is _Found.HALF:
        removed = removal.remove(order.job, namespace=order.namespace, deadline=deadline, ports=ports)
        if not removed.is_proven:
            left = ", ".join(removed.leftovers)
            raise UnavailableError(f"a half-made release could not be removed ({left}): {'; '.join(removed.errors)}")
    labels = {names.RELEASE: order.job, names.VALUES_DIGEST: names.digest_label(order.values_digest)}
    try:
        ports.helm.install(order.job, chart=order.chart, values=values, namespace=order.namespace, labels=labels)
    except ProgramError as error:
        ports.stop.check()  # helm fails when it is terminated
        reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in str(error) else Reason.INSTALL_FAILED
        return Installed(reason=reason, message=str(error))
    return Installed()


def _look(order: Order, cluster: Cluster) -> _Found:
    """Helm's record says whose it is by its labels, which `helm status` does not show."""
    records = list(cluster.list("Secret", order.namespace, labels={"owner": "helm", "name": order.job}))
    if not records:
        return _Found.NOTHING
    if any(_label(record, names.RELEASE) != order.job for record in records):
        return _Found.FOREIGN
    if any(_label(record, "status") != ReleaseState.DEPLOYED for record in records):
        return _Found.HALF
    wanted = names.digest_label(order.values_digest)
    return _Found.DONE if all(_label(record, names.VALUES_DIGEST) == wanted for record in records) else _Found.OTHER


def _label(record: Manifest, key: str) -> str:
    return str((record["metadata"].get("labels") or {}).get(key, ""))
