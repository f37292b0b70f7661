"""Where the API server is, and what this program shows to be let in.

In a pod that is what the kubelet puts there, read as client-go reads it. A kubeconfig is read by the official client,
with all its ways of getting a credential; its import takes as long as the rest of a task's start, so that only
programs with a kubeconfig import it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import urllib3

from scheduler.cluster import connection
from scheduler.errors import NotFoundError

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_SECONDS: Final = 60.0
"""A token is read again after so long: the kubelet renews it long before it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Safe for many threads."""

    host: str
    """`https://<address>:<port>`."""
    pool: urllib3.PoolManager
    authorization: Callable[[], str]
    """Value of the header, asked for at each request; empty: none is sent."""


def in_pod(environ: Mapping[str, str], *, account: Path = ACCOUNT) -> Access:
    """With the ServiceAccount of this pod; NotFoundError says what of it is missing."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        raise NotFoundError(
            "this program does not run in a pod: no KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT"
        )
    token, authorities = Token(account / "token"), account / "ca.crt"
    if not authorities.is_file():
        raise NotFoundError(f"this program does not run in a pod with an account: there is no {authorities}")
    token()
    pool = urllib3.PoolManager(
        cert_reqs="CERT_REQUIRED",
        ca_certs=str(authorities),
        maxsize=connection.POOL,
        retries=connection.retries(),
        socket_options=connection.SOCKET_OPTIONS,
    )
    address = f"[{host}]" if ":" in host else host
    return Access(host=f"https://{address}:{port}", pool=pool, authorization=token)


class Token:
    """The header's value from a file that is renewed."""

    def __init__(self, file: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._clock = clock
        self._read: tuple[float, str] | None = None

    def __call__(self) -> str:
        """NotFoundError when no token could ever be read; one that cannot be read again is shown as it was."""
        now, known = self._clock(), self._read
        if known is not None and now - known[0] < TOKEN_SECONDS:
            return known[1]
        try:
            text = self._file.read_text().strip()
        except OSError as error:
            text, why = "", str(error.strerror)
        else:
            why = "it is empty"
        if text:
            known = (now, f"Bearer {text}")
        elif known is None:
            raise NotFoundError(f"this program does not run in a pod with an account: {self._file}: {why}")
        else:
            known = (now, known[1])
        self._read = known
        return known[1]


def from_kubeconfig(path: Path | None, *, context: str | None) -> Access:
    """Without a path it is the file that `KUBECONFIG` or the home folder names; NotFoundError when it is no good."""
    from kubernetes import client, config  # noqa: PLC0415 - see above

    configuration = client.Configuration()
    try:
        config.load_kube_config(
            config_file=str(path) if path else None,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    except config.ConfigException as error:
        place = f" in {path}" if path else ""
        remedy = "name one with --kubeconfig or KUBECONFIG (`modelops cluster status` tells the local cluster's)"
        raise NotFoundError(f"no usable kubeconfig{place}: {str(error).rstrip('.')}; {remedy}") from error
    configuration.connection_pool_maxsize = connection.POOL
    configuration.retries = connection.retries()
    configuration.socket_options = connection.SOCKET_OPTIONS
    return Access(
        host=configuration.host,
        pool=client.ApiClient(configuration).rest_client.pool_manager,
        authorization=lambda: configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or "",
    )
