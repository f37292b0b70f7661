"""The token of the next request, from wherever the login takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from scheduler.cli import configuration, exec_plugin
from scheduler.cli.configuration import Login
from scheduler.client.oidc_device import Provider
from scheduler.cluster.port import Token
from scheduler.errors import InvalidInputError

_MARGIN: Final = timedelta(seconds=20)
"""A token that ends so soon is not begun a request with."""


class Credentials:
    """Asked before each request: files are read again, programs asked and logins refreshed when a token ends.

    What is new is remembered beside the login, for the next command.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        now: Callable[[], datetime] = configuration.utc_now,
    ) -> None:
        self._environ = environ
        self._now = now
        self._endless = ""
        """Of a program that does not say when its token ends: good for this command."""

    def token(self) -> str:
        """UnauthenticatedError when there is none, or when it has ended and cannot be renewed."""
        login = configuration.effective(self._environ)
        if login.token_file:
            return configuration.read_token(login.token_file)
        if login.token and not self._is_ending(login):
            return login.token
        if login.exec:
            return self._endless or self._from_program(login)
        if login.refresh_token:
            return self._refreshed(login)
        return configuration.valid_token(login, self._now())

    def _is_ending(self, login: Login) -> bool:
        return bool(login.expires) and datetime.fromisoformat(login.expires) - _MARGIN <= self._now()

    def _from_program(self, login: Login) -> str:
        made: Token = exec_plugin.credential(login.exec)
        if made.expires:
            self._remember(token=made.value, expires=made.expires)
        else:
            self._endless = made.value
        return made.value

    def _refreshed(self, login: Login) -> str:
        with closing(provider(login)) as issuer:
            made = issuer.refresh(login.refresh_token)
        self._remember(token=made.token, expires=made.expires, refresh_token=made.refresh_token)
        return made.token

    def _remember(self, **changed: str) -> None:
        with suppress(InvalidInputError):  # where nothing can be written it is asked for again
            configuration.save(replace(configuration.load(self._environ), **changed), self._environ)


def provider(login: Login) -> Provider:
    """The issuer of the login."""
    return Provider(login.oidc_issuer, client_id=login.client_id, certificate_authority=login.certificate_authority)
