"""Asks a container registry for digests (OCI distribution specification, `HEAD /v2/<name>/manifests/<tag>`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

from scheduler.errors import UnavailableError
from scheduler.images import references
from scheduler.images.connection import Connection
from scheduler.images.logins import Login

ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)

NAME: Final = re.compile(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)
"""A registry as references of images begin: `host[:port][/path]`. The charts' schemas say the same."""


class HttpRegistry:
    """A registry over HTTP(S)."""

    def __init__(
        self,
        registry: str,
        *,
        plain_http: bool | None = None,
        logins: Mapping[str, Login] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`plain_http` is said of this registry alone; None: plain HTTP exactly at a private or loopback address."""
        self._host = references.host(registry)
        self._plain_http = plain_http
        self._logins = logins
        self._transport = transport

    def digest(self, reference: str) -> str | None:
        """The manifest's digest; None when the registry has no such repository or tag.

        `reference` is `<registry>/<repository>:<tag>` or `…@sha256:…`; one of another registry is asked there.
        """
        host, repository, tag = references.split(reference)
        plain_http = self._plain_http if host == self._host else None
        connection = Connection(host, logins=self._logins, plain_http=plain_http, transport=self._transport)
        path = f"/v2/{repository}/manifests/{tag}"
        try:
            with connection.ask("HEAD", path, repository=repository, headers={"Accept": ACCEPT}) as answer:
                if answer.status_code == 404:
                    return None
                if answer.status_code != 200 or "docker-content-digest" not in answer.headers:
                    raise UnavailableError(f"the registry {host} answered {answer.status_code} for {repository}:{tag}")
                return answer.headers["docker-content-digest"]
        finally:
            connection.close()
