"""A platform as its release's values describe it, as far as environments are concerned. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler import names
from scheduler.errors import ConflictError, NotFoundError
from scheduler.helm.port import ReleaseState, ReleaseStatus
from scheduler.model.types import Values
from scheduler.preprocess.merge import merge
from scheduler.tekton import view

CHART = "modelops"
_ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One revision of the release that makes environments."""

    name: str
    release: str
    """The same, but for a release of prerequisites."""
    namespace: str
    revision: int
    chart: str
    """Name and version."""
    given: Values
    """The values as given, without the chart's own."""
    environments: tuple[str, ...]
    builds: str
    """Namespace of the builds."""
    is_prepared: bool
    """Whether another release makes its namespaces, accounts and rights: that of an administrator's prerequisites."""
    makes_namespaces: bool
    """False: somebody else makes and labels the namespaces of environments."""
    keeps_namespaces: bool
    """Whether a namespace that the release made stays when it is no environment any more."""
    installs: bool
    """Whether its upgrade begins an installation."""

    @property
    def label(self) -> str:
        """What the namespaces that belong to it are labelled with."""
        return f"{self.namespace}.{self.name}"

    def with_environments(self, environments: tuple[str, ...], *, abandoned: tuple[str, ...] = ()) -> Values:
        """The given values with these environments in place of those that there are.

        The chart lets go of `abandoned` ones although jobs are not finished there, and of none that it let go before.
        """
        changed: Values = {"global": {"environments": list(environments)}}
        if abandoned or view.mapping(self.given, "environment").get(_ABANDONED):
            changed = {**changed, "environment": {_ABANDONED: list(abandoned)}}
        return merge(self.given, changed)


def read(status: ReleaseStatus, *, given: Values, defaults: Values) -> Platform:
    """What the release of this status and these values is; `defaults` are the chart's own values.

    NotFoundError when it is no platform's, ConflictError when it holds a platform's applications alone, or its last
    operation has not ended well.
    """
    _check(status, given)
    values = merge(defaults, given)
    globals_, environment = view.mapping(values, "global"), view.mapping(values, "environment")
    prerequisites = view.text(globals_, "prerequisites") or "include"
    return Platform(
        name=view.text(globals_, "platform", "name") or status.name,
        release=status.name,
        namespace=status.namespace,
        revision=status.revision,
        chart=status.chart,
        given=given,
        environments=tuple(globals_.get("environments") or ()),
        builds=view.text(globals_, "build", "namespace") or names.build_namespace(status.namespace),
        is_prepared=prerequisites == "exclude",
        makes_namespaces=prerequisites != "exclude" and bool(environment.get("create", True)),
        keeps_namespaces=bool(environment.get("keep", True)),
        installs=prerequisites != "only",
    )


def _check(status: ReleaseStatus, given: Values) -> None:
    where = f"the release '{status.name}' in namespace '{status.namespace}'"
    if not status.chart.removeprefix(f"{CHART}-")[:1].isdigit():
        raise NotFoundError(f"{where} is no platform: its chart is {status.chart}; name the platform's by --release")
    if view.text(given, "global", "render") == "applications":
        owner = view.text(given, "global", "platform", "name")
        raise ConflictError(f"{where} holds a platform's applications; environments are the release '{owner}'s")
    if status.state is not ReleaseState.DEPLOYED:
        remedy = f"bring it in order first: helm -n {status.namespace} history {status.name}, then helm rollback"
        raise ConflictError(f"{where} is {status.state}, revision {status.revision}: {remedy} or helm upgrade")
