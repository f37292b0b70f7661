"""Asks a container registry for digests (OCI distribution specification, `HEAD /v2/<name>/manifests/<tag>`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import httpx

from scheduler.errors import UnavailableError
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
        host: str,
        *,
        plain_http: bool | None = None,
        logins: Mapping[str, Login] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`plain_http` None: plain HTTP exactly when `host` is a private or loopback address, not a name."""
        self.host = host
        self._plain_http = plain_http
        self._logins = logins or {}
        self._transport = transport

    def digest(self, reference: str) -> str | None:
        """The manifest's digest; None when the registry has no such repository or tag.

        `reference` is `<registry>/<repository>:<tag>` or `…@sha256:…`; one of another registry is asked there.
        """
        host, repository, tag = split(reference)
        plain_http = self._plain_http if host == self.host else None
        connection = Connection(host, login=self._logins.get(host), plain_http=plain_http, transport=self._transport)
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


def split(reference: str) -> tuple[str, str, str]:
    """(registry, repository, tag or digest). Beside a digest a tag says nothing.

    >>> split("10.217.0.1:5000/modelops/base:trixie")
    ('10.217.0.1:5000', 'modelops/base', 'trixie')
    """
    host, _, rest = reference.partition("/")
    name, _, digest = rest.partition("@")
    repository, _, tag = name.partition(":")
    return host, repository, digest or tag or "latest"
