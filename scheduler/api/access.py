"""What the scheduling server asks about its callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.cluster.port import Caller, Cluster
from scheduler.errors import NotFoundError
from scheduler.tekton import view
from scheduler.web.environments import Environments

_POD_NAME: Final = "authentication.kubernetes.io/pod-name"
_POD_UID: Final = "authentication.kubernetes.io/pod-uid"
_ACCOUNT: Final = "system:serviceaccount:"
_FLOW: Final = "flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access(Environments):
    """The environments' rights, and what only the scheduling server asks."""

    cluster: Cluster

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
