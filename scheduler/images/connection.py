"""Requests to one container registry, with a login when it asks for one (OCI distribution specification).

A registry that wants to know who asks answers 401 and says how: `Basic`, or `Bearer` with the token server to ask
(https://distribution.github.io/distribution/spec/auth/token/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from scheduler import rest
from scheduler.errors import ForbiddenError, InvalidInputError, UnavailableError
from scheduler.images import logins as known_logins
from scheduler.images.logins import Login
from scheduler.model.problem import Problem

_PARAMETER: Final = re.compile(r'(\w+)="([^"]*)"')
_SECONDS: Final = httpx.Timeout(60, connect=10)
_MOST_HOPS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    method: str
    path: str
    repository: str
    headers: Mapping[str, str]
    query: Mapping[str, str] | None
    content: bytes | Iterable[bytes] | None

    @property
    def is_read(self) -> bool:
        return self.method in {"GET", "HEAD"}

    @property
    def key(self) -> tuple[str, bool]:
        """What a token is good for."""
        return self.repository, self.is_read

    @property
    def can_be_repeated(self) -> bool:
        return self.content is None or isinstance(self.content, bytes)


class Connection:
    """One registry; use it in a `with`, or close it."""

    def __init__(
        self,
        host: str,
        *,
        logins: Mapping[str, Login] | None = None,
        plain_http: bool | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`host` is a registry's without its path; what can be none is refused. `logins` are those of all registries.

        `plain_http` None: plain HTTP exactly when `host` is a private or loopback address, not a name.
        """
        self.host = host
        self._logins = logins or {}
        self._is_plain = is_plain(host) if plain_http is None else plain_http
        self._authorizations: dict[tuple[str, bool], str] = {}
        try:
            self._client = httpx.Client(
                base_url=f"{'http' if self._is_plain else 'https'}://{_address(host)}",
                timeout=_SECONDS,
                transport=transport,
                # a proxy for the outside world does not know the cluster's own addresses
                trust_env=not self._is_plain,
            )
        except httpx.InvalidURL as error:
            raise InvalidInputError([Problem(message=f"'{host}' is no registry: {error}")]) from error

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        *,
        repository: str,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
    ) -> Iterator[httpx.Response]:
        """An open answer, whatever its status but 401 and 403; its body is still to be read.

        `path` may be a whole URL that the registry has named. UnavailableError when it does not answer,
        ForbiddenError when the login is missing, refused or not enough.
        """
        asked = _Asked(
            method=method,
            path=path,
            repository=repository,
            headers=headers or {},
            query=query or None,
            content=content,
        )
        try:
            response = self._send(asked)
            if response.status_code == 401 and asked.can_be_repeated:
                response.close()
                self._authorizations[asked.key] = self._authorization(response, repository)
                response = self._send(asked)
            try:
                if response.status_code in {401, 403}:
                    raise self._refused(repository)
                yield response
            finally:
                response.close()
        except httpx.HTTPError as error:
            words = str(error) or type(error).__name__
            raise UnavailableError(f"the registry {self.host} does not answer: {words}") from error

    def _send(self, asked: _Asked) -> httpx.Response:
        headers = dict(asked.headers)
        if self._is_own(asked.path) and (known := self._authorizations.get(asked.key)):
            headers["Authorization"] = known
        request = self._client.build_request(
            asked.method, asked.path, headers=headers, params=asked.query, content=asked.content
        )
        response = self._client.send(request, stream=True)
        for _ in range(_MOST_HOPS):
            if not (response.is_redirect and asked.is_read):
                break
            # blobs are often elsewhere; the login stays with the registry
            response.close()
            url = urljoin(str(response.request.url), response.headers["Location"])
            kept = {name: value for name, value in headers.items() if name != "Authorization" or self._is_own(url)}
            response = self._client.send(self._client.build_request(asked.method, url, headers=kept), stream=True)
        return response

    def _is_own(self, path: str) -> bool:
        parts = urlsplit(path)
        own = self._client.base_url
        return not parts.netloc or (parts.scheme, parts.netloc) == (own.scheme, own.netloc.decode())

    def _authorization(self, response: httpx.Response, repository: str) -> str:
        login = self._login(repository)
        scheme, _, rest_ = response.headers.get("WWW-Authenticate", "").partition(" ")
        if scheme.lower() == "basic" and login is not None:
            return login.basic
        given = dict(_PARAMETER.findall(rest_))
        if scheme.lower() == "bearer" and "realm" in given:
            return "Bearer " + self._token(given, repository)
        raise self._refused(repository)

    def _token(self, given: Mapping[str, str], repository: str) -> str:
        realm = urlsplit(given["realm"])
        if realm.scheme != "https" and not (self._is_plain and is_plain(realm.netloc)):
            raise ForbiddenError(f"the registry {self.host} sends logins to {given['realm']}, which is not encrypted")
        asked = {key: given[key] for key in ("service", "scope") if key in given}
        login = self._login(repository)
        if login is not None and login.identity_token:
            form = {"grant_type": "refresh_token", "refresh_token": login.identity_token, **asked}
            answer = self._client.post(given["realm"], data={**form, "client_id": "modelops"})
        else:
            headers = {"Authorization": login.basic} if login is not None else {}
            answer = self._client.get(given["realm"], params=asked, headers=headers)
        if answer.status_code in {400, 401, 403}:
            raise self._refused(repository)
        try:
            document = answer.raise_for_status().json()
            return str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError) as error:
            raise UnavailableError(f"the token server of the registry {self.host} answered without a token") from error

    def _refused(self, repository: str) -> ForbiddenError:
        login = self._login(repository)
        if login is None:
            return ForbiddenError(f"the registry {self.host} wants credentials for {repository}")
        return ForbiddenError(f"the registry {self.host} refuses the login of '{login.user}' for {repository}")

    def _login(self, repository: str) -> Login | None:
        return known_logins.of(repository, host=self.host, known=self._logins)


def is_plain(host: str) -> bool:
    """Whether `host[:port]` is spoken to in plain HTTP unless told otherwise: an address that no public network routes.

    >>> is_plain("10.217.0.1:5000"), is_plain("registry.example.com")
    (True, False)
    """
    return rest.is_private(without_port(host))


def without_port(host: str) -> str:
    """
    >>> without_port("10.217.0.1:5000"), without_port("[fd00::1]:5000"), without_port("registry.example.com")
    ('10.217.0.1', 'fd00::1', 'registry.example.com')
    """
    return (host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host).strip("[]")


def _address(host: str) -> str:
    """Docker's registry answers under another name than its images have."""
    return "registry-1.docker.io" if host == "docker.io" else host
