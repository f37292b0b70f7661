"""Logins of registries, as a docker configuration file has them (`config.json`, `.dockerconfigjson`)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

FILES: Final = (".dockerconfigjson", "config.json")
"""What a folder with such a file calls it: a Secret of Kubernetes' type, and docker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """User and password; or an identity token, for which the registry's token server gives others."""

    user: str
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of a header `Authorization`."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find(path: Path) -> Path | None:
    """The configuration file: `path`, or the one in it when it is a folder; None when there is none."""
    candidates = [path / name for name in FILES] if path.is_dir() else [path]
    return next((file for file in candidates if file.is_file()), None)


def of_machine(environ: Mapping[str, str]) -> Path | None:
    """The file that buildah, podman and docker have their logins in, the one that the environment names first."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    candidates = (
        environ.get("REGISTRY_AUTH_FILE", ""),
        f"{runtime}/containers/auth.json" if runtime else "",
        f"{environ['DOCKER_CONFIG']}/config.json" if environ.get("DOCKER_CONFIG") else "",
        f"{environ.get('HOME', '')}/.docker/config.json",
    )
    return next((Path(name) for name in candidates if name and Path(name).is_file()), None)


def load(file: Path | None) -> Mapping[str, Login]:
    """Registry, or a path below it -> login; none without a file. A file that is no docker configuration is refused."""
    if file is None:
        return {}
    try:
        document = json.loads(file.read_text())
        entries = document.get("auths") or {}
        return {_place(key): login for key, entry in entries.items() if (login := _login(entry)) is not None}
    except (ValueError, AttributeError, binascii.Error) as error:
        # the text itself is a secret: it is not told
        message = 'is no docker configuration; one has {"auths": {"<registry>": {"auth": "<base64 of user:password>"}}}'
        raise InvalidInputError([Problem(document=str(file), message=message)]) from error


def _login(entry: Mapping[str, str]) -> Login | None:
    user, password = entry.get("username", ""), entry.get("password", "")
    if entry.get("auth"):
        user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
    token = entry.get("identitytoken", "")
    return Login(user=user, password=password, identity_token=token) if user or token else None


def of(repository: str, *, host: str, known: Mapping[str, Login]) -> Login | None:
    """The login of the longest path that leads to the repository, as buildah looks it up; None when there is none.

    >>> of("acme/tools", host="r.example", known={"r.example": Login(user="a"), "r.example/acme": Login(user="b")}).user
    'b'
    """
    place = f"{host}/{repository}"
    while place not in known and "/" in place:
        place = place.rpartition("/")[0]
    return known.get(place)


def _place(key: str) -> str:
    """Docker writes URLs, of which the host counts, and its own registry's has another name.

    >>> _place("https://index.docker.io/v1/"), _place("10.217.0.1:5000"), _place("r.example/acme/")
    ('docker.io', '10.217.0.1:5000', 'r.example/acme')
    """
    _, is_url, rest = key.rpartition("://")
    host, _, path = rest.strip("/").partition("/")
    host = "docker.io" if host in {"index.docker.io", "registry-1.docker.io"} else host
    # docker.io's key without a scheme has the path of its interface as well
    return host if is_url or not path or path in {"v1", "v2"} else f"{host}/{path}"
