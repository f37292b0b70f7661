"""Which environments a caller may do what in. What a caller may not see answers like what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Caller, Cluster
from scheduler.errors import ForbiddenError, NotFoundError
from scheduler.tekton import view
from scheduler.web.auth import Gate

_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"
_ACCOUNT: Final = "system:serviceaccount:"
_FLOW: Final = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    gate: Gate
    environments: tuple[str, ...]
    platform_namespace: str
    cluster: Cluster

    def require(self, caller: Caller, *, verb: str, resource: str, environment: str, subresource: str = "") -> None:
        """Nothing when the caller may; an environment that is none of ours is refused in the same words."""
        self.gate.require(caller, verb=verb, resource=resource, subresource=subresource, namespace=environment)
        if environment not in self.environments:
            what = "/".join(part for part in (f"{resource}.{names.DOMAIN}", subresource) if part)
            raise ForbiddenError(f"{caller.name} may not {verb} {what} in '{environment}'")

    def allowed(
        self, caller: Caller, *, verb: str, resource: str, environment: str = "", subresource: str = ""
    ) -> tuple[str, ...]:
        """The environments in which the caller may do that; only `environment`, when it is named, and then it must be.

        Without a name, ForbiddenError when there is none at all.
        """
        if environment:
            self.require(caller, verb=verb, resource=resource, environment=environment, subresource=subresource)
            return (environment,)
        found = tuple(
            name
            for name in self.environments
            if self.gate.allows(caller, verb=verb, resource=resource, subresource=subresource, namespace=name)
        )
        if not found:
            raise ForbiddenError(f"{caller.name} may not {verb} {resource}.{names.DOMAIN} in any environment")
        return found

    def require_pipelines(self, caller: Caller) -> None:
        """Nothing when the caller may read deployed pipelines, which belong to the platform and to no environment.

        The server's own right reads them: without this it would show them to whoever may start any job.
        """
        self.gate.require(caller, verb="get", resource="pipelines", namespace=self.platform_namespace)

    def require_artifacts(self, caller: Caller) -> None:
        """Nothing when the caller may read the artifact store, as an IR that names models by their digest needs.

        The server's own right hands them to the environment: without this a digest alone would open every model.
        """
        self.gate.require(caller, verb="get", resource="artifacts", namespace=self.platform_namespace)

    def is_own_flow(self, caller: Caller, *, job_id: str) -> str:
        """The environment of the job when the caller's token is bound to the pod of its own flow; empty otherwise."""
        pod, uid = caller.extra.get(_POD_NAME, ()), caller.extra.get(_POD_UID, ())
        namespace = caller.name.removeprefix(_ACCOUNT).split(":")[0] if caller.name.startswith(_ACCOUNT) else ""
        if len(pod) != 1 or len(uid) != 1 or namespace not in self.environments:
            return ""
        try:
            found = self.cluster.get("Pod", pod[0], namespace)
        except NotFoundError:
            return ""
        labels = view.mapping(found, "metadata", "labels")
        is_own = labels.get(names.RELEASE) == job_id and labels.get(names.COMPONENT) == _FLOW
        return namespace if is_own and view.text(found, "metadata", "uid") == uid[0] else ""


@contextmanager
def hidden(error: NotFoundError) -> Iterator[None]:
    """Inside, a caller without any right is told what a caller is told for whom nothing is there."""
    try:
        yield
    except ForbiddenError:
        raise error from None
