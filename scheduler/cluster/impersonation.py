"""A kubeconfig for programs that are to act as another account, with this pod's own token.

In a pod, programs on client-go forget `--kube-as-user` when no kubeconfig is there (clientcmd's in-cluster
configuration takes neither that nor any other override of who asks).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler.errors import NotFoundError

_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


def kubeconfig(user: str, *, environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The document; it holds no credential, but the path of the token that the kubelet rotates."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise NotFoundError("this program does not run in a pod: KUBERNETES_SERVICE_HOST is not set")
    address = f"[{host}]" if ":" in host else host
    server = {"server": f"https://{address}:{port}", "certificate-authority": f"{_ACCOUNT}/ca.crt"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": server}],
        "users": [{"name": "pod", "user": {"tokenFile": f"{_ACCOUNT}/token", "as": user}}],
        "contexts": [{"name": "pod", "context": {"cluster": "cluster", "user": "pod"}}],
        "current-context": "pod",
    }
