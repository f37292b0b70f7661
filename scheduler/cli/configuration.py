"""What `modelops login` remembers, and what the environment says instead."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from scheduler import rest
from scheduler.errors import InvalidInputError, NotFoundError, UnauthenticatedError
from scheduler.model.problem import Problem

FILE = "MODELOPS_CONFIG"
URL = "MODELOPS_URL"
SERVER_URL = "MODELOPS_SERVER_URL"
TOKEN = "MODELOPS_TOKEN"  # noqa: S105 - the variable's name
TOKEN_FILE = "MODELOPS_TOKEN_FILE"  # noqa: S105 - the variable's name
ENVIRONMENT = "MODELOPS_ENVIRONMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login: where the servers are and who we are there."""

    url: str = ""
    """The scheduling server."""
    server_url: str = ""
    """The modelops server."""
    environment: str = ""
    """Where jobs run unless the command says otherwise."""
    account: str = ""
    """Whose token it is, for people."""
    token: str = field(default="", repr=False)
    expires: str = ""
    """RFC 3339."""
    token_file: str = ""
    """Where the token is read from before each request."""
    exec: str = ""
    """Program with arguments that prints a token, as for a shell."""
    oidc_issuer: str = ""
    client_id: str = ""
    certificate_authority: str = ""
    """File with the certificates that the issuer is trusted by; empty: the system's."""
    refresh_token: str = field(default="", repr=False)
    """Of the issuer: makes a new token when the one that there is ends."""


def path(environ: Mapping[str, str]) -> Path:
    """The file of `MODELOPS_CONFIG`, else `modelops/config.json` in the user's configuration folder."""
    if environ.get(FILE):
        return Path(environ[FILE])
    base = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "modelops" / "config.json"


def load(environ: Mapping[str, str]) -> Login:
    """What was remembered; an empty Login when there is nothing."""
    file = path(environ)
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return Login()
    except (OSError, ValueError) as error:
        message = f"cannot be read: {error}; `modelops login` writes it anew"
        raise InvalidInputError([Problem(file=str(file), message=message)]) from error
    known = (
        {key: str(value) for key, value in found.items() if key in Login.__slots__} if isinstance(found, dict) else {}
    )
    return Login(**known)


def save(login: Login, environ: Mapping[str, str]) -> Path:
    """Remember the login in a file that only its owner reads, replacing the earlier one whole.

    InvalidInputError where nothing can be written.
    """
    file = path(environ)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(json.dumps(asdict(login), indent=2) + "\n")
        part.replace(file)
    except OSError as error:
        message = f"cannot be written: {error.strerror}; name another file in {FILE}"
        raise InvalidInputError([Problem(file=str(file), message=message)]) from error
    return file


def effective(environ: Mapping[str, str]) -> Login:
    """The remembered login with the environment's variables over it."""
    remembered = load(environ)
    token = given_token(environ)
    known = remembered if token is None else Login(token=token)
    return replace(
        known,
        url=environ.get(URL) or remembered.url,
        server_url=environ.get(SERVER_URL) or remembered.server_url,
        environment=environ.get(ENVIRONMENT) or remembered.environment,
    )


def given_token(environ: Mapping[str, str]) -> str | None:
    """The token of `MODELOPS_TOKEN`, else the content of the file `MODELOPS_TOKEN_FILE`; None without either."""
    if environ.get(TOKEN):
        return environ[TOKEN].strip()
    if not environ.get(TOKEN_FILE):
        return None
    return read_token(environ[TOKEN_FILE], called=f"the token file that {TOKEN_FILE} names")


def read_token(file: str, *, called: str = "") -> str:
    """The token that the file holds now, without space around it.

    NotFoundError when it cannot be read, UnauthenticatedError when what it holds is no token, which is not repeated.
    """
    called = called or f"the token file {file}"
    try:
        found = Path(file).read_bytes().decode(errors="replace").strip()
    except OSError as error:
        raise NotFoundError(f"{called} cannot be read: {error}") from error
    if not found:
        raise UnauthenticatedError(f"{called} is empty")
    if not rest.is_token(found):
        raise UnauthenticatedError(f"what {called} holds {rest.NOT_A_TOKEN}")
    return found


def valid_token(login: Login, now: datetime) -> str:
    """The login's token; UnauthenticatedError without one, or when it has expired."""
    if not login.token:
        raise UnauthenticatedError(f"not logged in: run `modelops login`, or set {TOKEN} or {TOKEN_FILE}")
    if login.expires and datetime.fromisoformat(login.expires) <= now:
        raise UnauthenticatedError(f"the login has expired at {login.expires}: run `modelops login`")
    return login.token


def utc_now() -> datetime:
    return datetime.now(UTC)
