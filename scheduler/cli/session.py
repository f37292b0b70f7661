"""Clients of the servers, as the login and the environment's variables say; closed when the command ends."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from scheduler.artifacts.client import ModelopsClient
from scheduler.cli import closing, configuration
from scheduler.cli.credentials import Credentials
from scheduler.client.scheduling import SchedulingClient
from scheduler.errors import NotFoundError

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
    login = configuration.effective(os.environ)
    if not login.url:
        raise NotFoundError(f"no scheduling server is known: run `modelops login`, or set {configuration.URL}")
    client = SchedulingClient(login.url, token=Credentials(os.environ).token)
    closing.later(client.close)
    return client


def modelops() -> ModelopsClient:
    """The modelops server; NotFoundError when nobody said where it is."""
    login = configuration.effective(os.environ)
    if not login.server_url:
        raise NotFoundError(f"no modelops server is known: run `modelops login`, or set {configuration.SERVER_URL}")
    client = ModelopsClient(login.server_url, token=Credentials(os.environ).token)
    closing.later(client.close)
    return client


def environment(given: str) -> str:
    """The environment that the command means."""
    found = given or configuration.effective(os.environ).environment
    if not found:
        raise NotFoundError(f"no environment is named: give --environment, or set {configuration.ENVIRONMENT}")
    return found
