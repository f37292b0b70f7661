"""An HTTP client that speaks JSON, bearer tokens and problem+json: what the clients of both servers share."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

import scheduler
from scheduler.errors import SchedulerError, UnauthenticatedError, UnavailableError
from scheduler.model import problem_json

_CONNECT_SECONDS: Final = 5.0
_PROBLEM_BYTES: Final = 1 << 20
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

NOT_A_TOKEN: Final = "is none: it holds a line end, or something else than printable ASCII"  # noqa: S105 - for messages
"""What `is_token` refuses, for messages: what it is must not be repeated."""

Query = Mapping[str, str | int | Sequence[str] | None]
"""Fields of a URL; None leaves a field out, a sequence repeats it."""


class RestClient:
    """Requests to one server. Every failure is one of `scheduler.errors`, as the server's problem document says."""

    def __init__(
        self,
        url: str,
        *,
        name: str,
        token: Callable[[], str] | None = None,
        timeout_seconds: float = 30,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`name` is what messages call the server; `token` is asked before each request, as tokens are rotated.

        What is no token (`is_token`) is never sent, nor repeated: UnauthenticatedError.
        """
        self.url = url.rstrip("/")
        self._name = name
        self._token = token
        self._client = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS),
            transport=transport,
            headers={"User-Agent": f"modelops/{scheduler.__version__}"},
            mounts=past_proxies(self.url),
        )

    def close(self) -> None:
        self._client.close()

    def json(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that the server answers with; None for an empty answer."""
        return self.exchange(method, path, body=body, query=query, headers=headers)[1]

    def exchange(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """The status code, always below 400, and the JSON of the answer."""
        with self.stream(method, path, json=body, query=query, headers=headers) as response:
            content = response.read()
            if not content:
                return response.status_code, None
            try:
                return response.status_code, response.json()
            except ValueError as error:
                raise SchedulerError(f"{self._name} at {self.url} answered something that is not JSON") from error

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: Iterable[bytes] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
    ) -> Iterator[httpx.Response]:
        """An open answer with a status below 400; its body is still to be read.

        `timeout_seconds`, else the client's, limits the wait for each piece of it.
        """
        limit = self._client.timeout
        if timeout_seconds is not None:
            limit = httpx.Timeout(timeout_seconds, connect=_CONNECT_SECONDS)
        request = self._client.build_request(
            method,
            path,
            json=json,
            content=content,
            params=_fields(query or {}),
            headers={**self._authorization(), **(headers or {})},
            timeout=limit,
        )
        try:
            response = self._client.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    raise _error(response)
                yield response
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise UnavailableError(f"{self._name} at {self.url} did not answer in time") from error
        except (httpx.TransportError, httpx.StreamError) as error:
            raise UnavailableError(f"{self._name} at {self.url} does not answer: {error}") from error

    def _authorization(self) -> Mapping[str, str]:
        token = self._token() if self._token else ""
        if not token:
            return {}
        if not is_token(token):
            raise UnauthenticatedError(
                f"what there is as a token {NOT_A_TOKEN}: `modelops login`, or set MODELOPS_TOKEN anew"
            )
        return {"Authorization": f"Bearer {token}"}


def is_token(text: str) -> bool:
    """Whether the text can stand in a header as a bearer token: one line of printable ASCII.

    >>> is_token("e30.e30.x"), is_token("two\\nlines"), is_token("\\ufeffe30"), is_token("")
    (True, False, False, False)
    """
    return bool(text) and text.isascii() and text.isprintable()


def past_proxies(url: str) -> Mapping[str, None]:
    """`mounts` of an httpx client: none of the environment's proxies for a private address.

    A proxy for the outside world does not know it. What the environment says of certificates holds for every address.

    >>> past_proxies("https://10.217.0.1:8443"), past_proxies("https://models.example.com")
    ({'http://': None, 'https://': None}, {})
    """
    return {"http://": None, "https://": None} if is_private(urlsplit(url).hostname or "") else {}


def is_private(host: str) -> bool:
    """Whether the host name is an address that no public network routes.

    >>> is_private("10.217.0.1"), is_private("localhost"), is_private("registry.example.com")
    (True, True, False)
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return address.is_private or address.is_loopback


def is_encrypted(url: str) -> bool:
    """Whether nobody on the way can read or change what is sent to the URL: by TLS, or because there is no way.

    >>> is_encrypted("https://issuer.example.com"), is_encrypted("http://localhost:1"), is_encrypted("http://10.0.0.1")
    (True, True, False)
    """
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def _fields(query: Query) -> httpx.QueryParams:
    pairs: list[tuple[str, str | int | float | bool | None]] = []
    for key, value in query.items():
        if isinstance(value, str | int):
            pairs.append((key, value))
        elif value is not None:
            pairs += [(key, item) for item in value]
    return httpx.QueryParams(pairs)


def _error(response: httpx.Response) -> SchedulerError:
    document: object = None
    if "json" in response.headers.get("Content-Type", ""):
        content = b"".join(_first(response.iter_bytes(), _PROBLEM_BYTES))
        try:
            document = httpx.Response(200, content=content).json()
        except ValueError:
            document = None
    wait = response.headers.get("Retry-After", "")
    fields = document if isinstance(document, dict) else {}
    return problem_json.error_of(response.status_code, fields, retry_after_seconds=int(wait) if wait.isdigit() else 5)


def _first(chunks: Iterable[bytes], most: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk
        most -= len(chunk)
        if most <= 0:
            return
