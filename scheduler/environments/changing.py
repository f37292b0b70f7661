"""Adding and removing: the release's values with another list of environments, and nothing else changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scheduler import names
from scheduler.cluster.port import Cluster
from scheduler.environments import claims, looking, orders, platform
from scheduler.environments.platform import Platform
from scheduler.errors import ConflictError, NotFoundError, SchedulerError
from scheduler.helm import chart
from scheduler.helm.port import Helm, ReleaseStatus
from scheduler.model.types import Manifest, Values

READY_SECONDS: Final = 300.0
"""What helm may wait for the hook that begins the installation, which ends within 290 s."""
HELM_SECONDS: Final = 2 * READY_SECONDS + 60
"""What helm may take in all: where an upgrade fails, the revision before comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    cluster: Cluster
    helm: Helm
    chart: Path
    """The platform's, from which its release is upgraded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of an order."""

    is_changed: bool
    words: str


def read(release: str, *, namespace: str, ports: Ports) -> Platform:
    """The platform as it is now; NotFoundError when there is no such release."""
    status = ports.helm.status(release, namespace=namespace)
    if status is None:
        raise NotFoundError(
            f"there is no release '{release}' in namespace '{namespace}'; name the platform's by --release and "
            f"--namespace (helm list --all-namespaces shows them)"
        )
    given = ports.helm.values(release, namespace=namespace)
    return platform.read(status, given=given, defaults=chart.defaults(ports.chart))


def add(to: Platform, environment: str, *, is_adopted: bool, ports: Ports) -> Done:
    """Make the namespace an environment of the platform, which may have it already.

    A namespace that another one makes meanwhile is not taken. One that was there is as it was before when helm fails.
    """
    if environment in to.environments:
        return Done(is_changed=False, words=f"'{environment}' is an environment of {to.label} already")
    orders.check_name(to, environment)
    orders.check_chart(to, chart.named(ports.chart))
    found = _namespace(environment, ports.cluster)
    residents = () if found is None else _residents(to, environment, ports.cluster)
    orders.check_namespace(to, environment, found, residents=residents, is_adopted=is_adopted)
    environments = (*to.environments, environment)
    if found is None or not to.makes_namespaces:
        done = _upgraded(to, to.with_environments(environments), may_take_over=found is not None, ports=ports)
    else:
        with _taken(to, environment, found, ports.cluster):
            done = _upgraded(to, to.with_environments(environments), may_take_over=True, ports=ports)
    _check_revision(to, environments, done)
    how = "its namespace was there and stays with what is in it" if found is not None else "its namespace is new"
    return Done(is_changed=True, words=f"'{environment}' is an environment of {to.label}; {how}")


def remove(from_: Platform, environment: str, *, is_forced: bool, ports: Ports) -> Done:
    """Make the namespace no environment any more: accounts, roles, quotas, policies, Pipeline and Tasks go.

    By force also while jobs there are not finished, or have left something.
    """
    orders.check_removal(from_, environment)
    if not is_forced:
        unfinished = looking.unfinished(environment, cluster=ports.cluster)
        orders.check_jobs(environment, unfinished, leaked=looking.leaked(environment, cluster=ports.cluster))
    orders.check_chart(from_, chart.named(ports.chart))
    rest = tuple(name for name in from_.environments if name != environment)
    values = from_.with_environments(rest, abandoned=(environment,) if is_forced else ())
    _check_revision(from_, rest, _upgraded(from_, values, may_take_over=False, ports=ports))
    return Done(
        is_changed=True, words=f"'{environment}' is no environment of {from_.label}; {_left(from_, environment)}"
    )


def _left(from_: Platform, environment: str) -> str:
    if from_.makes_namespaces and not from_.keeps_namespaces:
        return "its namespace is being deleted with all that is in it, as environment.keep: false says"
    if from_.is_prepared:
        return (
            "its accounts, rights and quotas stay until a cluster administrator takes it out of the release of "
            f"prerequisites as well: modelops environment remove {environment} --namespace {from_.namespace} --release "
            "PREREQUISITES"
        )
    return (
        f"its namespace stays with jobs, channels and data, and with the label {names.PLATFORM}, so that only this "
        f"platform can take it up again; to delete it all: kubectl delete namespace {environment}"
    )


@contextmanager
def _taken(by: Platform, environment: str, found: Manifest, cluster: Cluster) -> Iterator[None]:
    """Inside, the namespace is the platform's: the chart takes no other. After an error it is what it was."""
    patch = claims.taking(found, platform=by.label, release=by.release, of=by.namespace)
    cluster.patch("Namespace", environment, "", patch)
    try:
        yield
    except SchedulerError:
        with suppress(SchedulerError):  # helm's own words are worth more
            now = cluster.get("Namespace", environment)
            cluster.patch("Namespace", environment, "", claims.giving_back(now, before=found))
        raise


def _upgraded(of: Platform, values: Values, *, may_take_over: bool, ports: Ports) -> ReleaseStatus:
    return ports.helm.upgrade(
        of.release,
        chart=ports.chart,
        values=values,
        namespace=of.namespace,
        labels={},
        ready_seconds=READY_SECONDS,
        may_take_over=may_take_over,
    )


def _check_revision(of: Platform, environments: tuple[str, ...], done: ReleaseStatus) -> None:
    """ConflictError when it is not the next one."""
    if done.revision != of.revision + 1:
        raise ConflictError(
            f"somebody else has changed the release '{of.release}' at the same time: revision {done.revision} has the "
            f"values of revision {of.revision} and the environments {', '.join(environments)}; what came between is "
            f"shown by helm -n {of.namespace} history {of.release}, and has to be done again"
        )


def _residents(of: Platform, environment: str, cluster: Cluster) -> tuple[str, ...]:
    accounts = cluster.list("ServiceAccount", environment, labels=claims.PART_OF)
    return claims.residents(accounts, platform=of.label)


def _namespace(name: str, cluster: Cluster) -> Manifest | None:
    try:
        return cluster.get("Namespace", name)
    except NotFoundError:
        return None
