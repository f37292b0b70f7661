"""Who may do what here: people and the scheduling server by RBAC, jobs by grant."""

from __future__ import annotations

from dataclasses import dataclass

from scheduler import names
from scheduler.artifacts.store import ArtifactStore
from scheduler.cluster.port import Caller
from scheduler.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from scheduler.web.auth import Gate

_SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Asked before anything else is done; blocks, so it is called from worker threads."""

    gate: Gate
    namespace: str
    """The platform's."""
    store: ArtifactStore

    def require(self, authorization: str | None, *, verb: str, resource: str) -> Caller:
        """The caller, who may do that with `resource` (`artifacts` or `pipelines`) in the platform's namespace."""
        caller = self.gate.caller(authorization)
        self.gate.require(caller, verb=verb, resource=resource, namespace=self.namespace)
        return caller

    def require_read(self, authorization: str | None, sha256: str) -> None:
        """Nothing, when the caller may read that artifact.

        A token of audience `modelops-artifacts` belongs to a pod of a job, and may read what its namespace was
        granted; that something else exists it is not told. Any other token needs the right to get artifacts.
        """
        try:
            caller = self.gate.caller(authorization)
        except UnauthenticatedError:
            environment = _namespace(self.gate.caller(authorization, audience=names.ARTIFACTS_AUDIENCE))
            if not self.store.is_granted(sha256, environment):
                raise NotFoundError(f"there is no artifact {sha256} for '{environment}'") from None
            return
        self.gate.require(caller, verb="get", resource="artifacts", namespace=self.namespace)


def _namespace(caller: Caller) -> str:
    """Of a ServiceAccount; nobody else has a token of a job."""
    if not caller.name.startswith(_SERVICE_ACCOUNT):
        raise ForbiddenError(f"{caller.name} is no ServiceAccount")
    return caller.name.removeprefix(_SERVICE_ACCOUNT).split(":")[0]
