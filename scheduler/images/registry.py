"""Asks a container registry for digests (OCI distribution specification, `HEAD /v2/<name>/manifests/<tag>`)."""

from __future__ import annotations

from typing import Final

import httpx

from scheduler import rest
from scheduler.errors import ForbiddenError, UnavailableError

_ACCEPT: Final = ", ".join(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)


class HttpRegistry:
    """A registry over HTTP(S), without credentials."""

    def __init__(
        self, host: str, *, plain_http: bool | None = None, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`plain_http` None: plain HTTP exactly when `host` is a private or loopback address, not a name."""
        self.host = host
        self._is_plain = is_plain(host) if plain_http is None else plain_http
        self._transport = transport

    def digest(self, reference: str) -> str | None:
        """The manifest's digest; None when the registry has no such repository or tag.

        `reference` is `<registry>/<repository>:<tag>` or `…@sha256:…`; one of another registry is asked there.
        """
        host, repository, tag = split(reference)
        if host != self.host:
            return HttpRegistry(host).digest(reference)
        try:
            answer = self._head(f"/v2/{repository}/manifests/{tag}")
        except httpx.HTTPError as error:
            raise UnavailableError(f"the registry {self.host} does not answer: {error}") from error
        if answer.status_code == 404:
            return None
        if answer.status_code in {401, 403}:
            raise ForbiddenError(f"the registry {self.host} wants credentials for {repository}")
        if answer.status_code != 200 or "docker-content-digest" not in answer.headers:
            raise UnavailableError(f"the registry {self.host} answered {answer.status_code} for {repository}:{tag}")
        return answer.headers["docker-content-digest"]

    def _head(self, path: str) -> httpx.Response:
        url = f"{'http' if self._is_plain else 'https'}://{self.host}"
        with httpx.Client(
            base_url=url,
            timeout=20,
            transport=self._transport,
            follow_redirects=True,
            # a proxy for the outside world does not know the cluster's own addresses
            trust_env=not self._is_plain,
        ) as client:
            return client.head(path, headers={"Accept": _ACCEPT})


def split(reference: str) -> tuple[str, str, str]:
    """(registry, repository, tag or digest).

    >>> split("10.217.0.1:5000/modelops/base:trixie")
    ('10.217.0.1:5000', 'modelops/base', 'trixie')
    """
    host, _, rest = reference.partition("/")
    separator = "@" if "@" in rest else ":"
    repository, _, tag = rest.rpartition(separator)
    return (host, repository, tag) if repository else (host, rest, "latest")


def is_plain(host: str) -> bool:
    """Whether `host[:port]` is spoken to in plain HTTP unless told otherwise: an address that no public network routes.

    >>> is_plain("10.217.0.1:5000"), is_plain("registry.example.com")
    (True, False)
    """
    return rest.is_private(host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host)
