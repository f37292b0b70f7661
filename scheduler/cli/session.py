"""Clients of the servers, as the login and the environment's variables say; closed when the command ends."""

from __future__ import annotations

import os
from typing import Annotated
from urllib.parse import urlsplit

import typer

from scheduler import names
from scheduler.artifacts.client import ModelopsClient
from scheduler.cli import closing, configuration
from scheduler.cli.credentials import Credentials
from scheduler.client.scheduling import SchedulingClient
from scheduler.errors import InvalidInputError, NotFoundError
from scheduler.model.problem import Problem

EnvironmentOption = Annotated[
    str,
    typer.Option(
        "--environment",
        "-e",
        envvar=configuration.ENVIRONMENT,
        help="Namespace where jobs run; without it the one of the login.",
        show_default=False,
    ),
]


def scheduling() -> SchedulingClient:
    """The scheduling server; NotFoundError when nobody said where it is."""
    url = _address(configuration.effective(os.environ).url, server="scheduling server", variable=configuration.URL)
    client = SchedulingClient(url, token=Credentials(os.environ).token)
    closing.later(client.close)
    return client


def modelops() -> ModelopsClient:
    """The modelops server; NotFoundError when nobody said where it is."""
    known = configuration.effective(os.environ).server_url
    client = ModelopsClient(
        _address(known, server="modelops server", variable=configuration.SERVER_URL),
        token=Credentials(os.environ).token,
    )
    closing.later(client.close)
    return client


def environment(given: str) -> str:
    """The environment that the command means; NotFoundError without one, InvalidInputError for no namespace's name."""
    found = given or configuration.effective(os.environ).environment
    if not found:
        raise NotFoundError(f"no environment is named: give --environment, or set {configuration.ENVIRONMENT}")
    return named(found)


def named(environment: str) -> str:
    """`environment` itself; InvalidInputError when no namespace can be called so."""
    if not names.is_namespace(environment):
        message = f"'{environment}' cannot name an environment, which has {names.NAMESPACE_FORM}"
        raise InvalidInputError([Problem(pointer="--environment", message=message)])
    return environment


def _address(url: str, *, server: str, variable: str) -> str:
    remedy = f"run `modelops login`, or set {variable}"
    if not url:
        raise NotFoundError(f"no {server} is known: {remedy}")
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        message = f"'{url}' is no address of the {server}, such as 'http://127.0.0.1:8080': {remedy}"
        raise InvalidInputError([Problem(message=message)])
    return url
