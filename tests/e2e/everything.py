"""Asks the deployed servers everything that their OpenAPI documents list, under one token."""

from __future__ import annotations

from typing import Final

import httpx

from scheduler.cli.configuration import Login
from tests import routes
from tests.e2e import callers
from tests.routes import Target

_FEWEST: Final = 17
"""Fewer routes were no document."""


def asked(login: Login, token: str, target: Target) -> dict[str, httpx.Response]:
    """The answer to each route of both servers; the documents are read as the operator of the login."""
    found: dict[str, httpx.Response] = {}
    for url in (login.url, login.server_url):
        with callers.http(url, login.token) as client:
            document = client.get("/openapi.json").raise_for_status().json()
        with callers.http(url, token) as client:
            found |= {
                route: client.request(**routes.request(route, document, target).arguments)
                for route in routes.of(document)
            }
    assert len(found) >= _FEWEST
    return found
