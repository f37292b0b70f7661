"""Who may do what here: people and the scheduling server by RBAC, jobs by grant."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.requests import Request

from scheduler import names
from scheduler.artifacts.store import ArtifactStore
from scheduler.cluster.port import Caller
from scheduler.errors import ForbiddenError, NotFoundError
from scheduler.web import audit
from scheduler.web.audit import Change
from scheduler.web.auth import Gate
from scheduler.web.authentication import audience_of, caller_of

_SERVICE_ACCOUNT = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Asked before anything else is done; blocks, so it is called from worker threads."""

    gate: Gate
    namespace: str
    """The platform's."""
    environments: tuple[str, ...]
    store: ArtifactStore

    def require(self, request: Request, *, verb: str, resource: str) -> Caller:
        """The caller, who may do that with `resource` (`artifacts` or `pipelines`) in the platform's namespace."""
        caller = caller_of(request)
        self.gate.require(caller, verb=verb, resource=resource, namespace=self.namespace)
        return caller

    def change(self, request: Request, *, verb: str, resource: str, name: str) -> AbstractContextManager[Change]:
        """The audit of a change to what belongs to the platform."""
        return audit.change(request, verb=verb, resource=resource, name=name, namespace=self.namespace)

    def require_read(self, request: Request, sha256: str) -> None:
        """Nothing, when the caller may read that artifact.

        A token of audience `modelops-artifacts` belongs to a pod of a job, and may read what its namespace was
        granted, for as long as that is an environment; that something else exists it is not told. Any other token needs
        the right to get artifacts.
        """
        if audience_of(request) != names.ARTIFACTS_AUDIENCE:
            self.require(request, verb="get", resource="artifacts")
            return
        environment = _namespace(caller_of(request))
        if environment not in self.environments or not self.store.is_granted(sha256, environment):
            raise NotFoundError(f"there is no artifact {sha256} for '{environment}'")


def _namespace(caller: Caller) -> str:
    """Of a ServiceAccount; nobody else has a token of a job."""
    if not caller.name.startswith(_SERVICE_ACCOUNT):
        raise ForbiddenError(f"{caller.name} is no ServiceAccount")
    return caller.name.removeprefix(_SERVICE_ACCOUNT).split(":")[0]
