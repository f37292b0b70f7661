"""What a registry that asks for a login is answered."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest

from scheduler.errors import ForbiddenError, UnavailableError
from scheduler.images.connection import Connection
from scheduler.images.logins import Login
from scheduler.images.registry import HttpRegistry

HOST = "registry.example.com"
LOGIN = Login(user="builder", password="canary")
BASIC = "Basic " + base64.b64encode(b"builder:canary").decode()
DIGEST = "sha256:" + "a" * 64
FOUND = {"Docker-Content-Digest": DIGEST}


def _digest(
    respond: Callable[[httpx.Request], httpx.Response], login: Login | None = LOGIN, host: str = HOST
) -> str | None:
    logins = {host: login} if login else {}
    return HttpRegistry(host, logins=logins, transport=httpx.MockTransport(respond)).digest(f"{host}/a/b:c")


def _bearer(realm: str) -> httpx.Response:
    challenge = f'Bearer realm="{realm}",service="registry",scope="repository:a/b:pull"'
    return httpx.Response(401, headers={"WWW-Authenticate": challenge})


def test_a_registry_with_basic_authentication_is_shown_the_login_when_it_asks() -> None:
    seen: list[str | None] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("Authorization"))
        return (
            httpx.Response(200, headers=FOUND)
            if seen[-1]
            else httpx.Response(401, headers={"WWW-Authenticate": "Basic"})
        )

    assert _digest(respond) == DIGEST
    assert seen == [None, BASIC]


def test_a_token_server_is_shown_the_login_and_the_registry_its_token() -> None:
    seen: list[tuple[str, str | None]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers.get("Authorization")))
        if request.url.host == "auth.example.com":
            return httpx.Response(200, json={"token": "t"})
        return httpx.Response(200, headers=FOUND) if seen[-1][1] else _bearer("https://auth.example.com/token")

    assert _digest(respond) == DIGEST
    assert seen[1] == ("https://auth.example.com/token?service=registry&scope=repository%3Aa%2Fb%3Apull", BASIC)
    assert seen[2] == (f"https://{HOST}/v2/a/b/manifests/c", "Bearer t")


def test_an_identity_token_is_sent_as_a_refresh_token_and_no_password_is() -> None:
    forms: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            forms.append(request.content)
            return httpx.Response(200, json={"access_token": "t"})
        is_known = request.headers.get("Authorization") == "Bearer t"
        return httpx.Response(200, headers=FOUND) if is_known else _bearer("https://auth.example.com/token")

    assert _digest(respond, Login(user="", identity_token="refresh")) == DIGEST
    assert b"refresh_token=refresh" in forms[0]


def test_a_refused_login_is_named_without_its_password() -> None:
    with pytest.raises(ForbiddenError, match=r"refuses the login of 'builder' for a/b") as raised:
        _digest(lambda _: httpx.Response(401, headers={"WWW-Authenticate": "Basic"}))
    assert "canary" not in str(raised.value)


def test_a_login_is_not_sent_where_everybody_can_read_it() -> None:
    with pytest.raises(ForbiddenError, match="not encrypted"):
        _digest(lambda _: _bearer("http://auth.example.com/token"))


def test_a_login_stays_with_the_registry_when_a_blob_is_elsewhere() -> None:
    seen: list[tuple[str, str | None]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.host, request.headers.get("Authorization")))
        if request.url.host == "storage.example.com":
            return httpx.Response(200, content=b"blob")
        if "Authorization" not in request.headers:
            return httpx.Response(401, headers={"WWW-Authenticate": "Basic"})
        return httpx.Response(307, headers={"Location": "https://storage.example.com/x"})

    connection = Connection(HOST, logins={HOST: LOGIN}, transport=httpx.MockTransport(respond))
    with connection.ask("GET", "/v2/a/b/blobs/x", repository="a/b") as answer:
        assert answer.read() == b"blob"
    assert seen[-1] == ("storage.example.com", None)


def test_a_token_server_without_a_token_is_unavailable() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json=[])
            if request.url.host == "auth.example.com"
            else _bearer("https://auth.example.com/")
        )

    with pytest.raises(UnavailableError, match="without a token"):
        _digest(respond)


def test_a_login_for_a_path_of_the_registry_comes_before_that_of_the_whole() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        shown = request.headers.get("Authorization")
        wants = httpx.Response(401, headers={"WWW-Authenticate": "Basic"})
        return httpx.Response(200, headers=FOUND) if shown == BASIC else wants

    logins = {HOST: Login(user="somebody"), f"{HOST}/acme": LOGIN, f"{HOST}/other": Login(user="else")}
    registry = HttpRegistry(f"{HOST}/acme", logins=logins, transport=httpx.MockTransport(respond))

    assert registry.digest(f"{HOST}/acme/modelops/flow:c") == DIGEST
    with pytest.raises(ForbiddenError, match="refuses the login of 'somebody' for modelops/flow"):
        registry.digest(f"{HOST}/modelops/flow:c")
