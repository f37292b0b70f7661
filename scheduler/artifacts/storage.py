"""From a URL to where artifacts and revisions are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from scheduler.artifacts.memory import Memory
from scheduler.artifacts.objects import Objects
from scheduler.artifacts.volume import Volume
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem

_S3: Final = frozenset({"s3", "s3a"})
_FOLDERS: Final = frozenset({"file", "local"})
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What the platform's administrator says of it. Credentials are no part: they come by the environment."""

    url: str = ""
    """`s3://bucket/prefix`, or another URL of fsspec; `file:///folder`, or `local:///folder`, is a volume, and nothing
    the usual one; `memory://` is for tests."""
    endpoint: str = ""
    """URL of a store that speaks S3; nothing: that of Amazon."""
    region: str = ""


def open_(storage: Storage, *, folder: Path) -> Objects:
    """The objects of that place; those of `folder` when it names none.

    InvalidInputError with all that is wrong with the values, or that the store cannot do; UnavailableError when it does
    not answer. An object store is tried out first (`object_store`).
    """
    _refuse(storage)
    scheme = urlsplit(storage.url).scheme
    if scheme == "memory":
        return Memory()
    if not scheme or scheme in _FOLDERS:
        return _volume(Path(unquote(urlsplit(storage.url).path)) if scheme else folder)
    # an optional extra, and slow to import
    from scheduler.artifacts import object_store  # noqa: PLC0415

    return object_store.connect(storage.url, options=_options(scheme, storage))


def _volume(folder: Path) -> Volume:
    try:
        return Volume(folder)
    except OSError as error:
        message = f"the folder {folder} cannot be used: {error.strerror}"
        raise InvalidInputError([Problem(document="storage", message=message)]) from error


def _refuse(storage: Storage) -> None:
    parts = urlsplit(storage.url)
    problems = []
    if "@" in storage.url:
        # never repeated: it would be in a log
        problems.append("a URL with credentials is refused: they come by a Secret, as environment")
    elif "::" in storage.url:
        problems.append("a chain of URLs (::) is refused: what is written must be there at once, for everybody")
    elif storage.url and not parts.scheme:
        problems.append(f"'{storage.url}' is no URL: s3://bucket/prefix, or another one that fsspec knows")
    if parts.query or parts.fragment:
        problems.append("a URL with ? or # is refused: it is a place and nothing else")
    if parts.scheme in _FOLDERS and (parts.netloc or not parts.path.strip("/")):
        problems.append(f"a {parts.scheme} URL names a folder with three slashes: {parts.scheme}:///var/lib/modelops")
    if parts.scheme in _S3 and not parts.netloc:
        problems.append("no bucket is named: s3://bucket/prefix")
    problems += [
        f"{key} belongs to s3:// alone"
        for key, value in (("endpoint", storage.endpoint), ("region", storage.region))
        if value and parts.scheme not in _S3
    ]
    if problems:
        raise InvalidInputError([Problem(document="storage", message=message) for message in problems])


def _options(scheme: str, storage: Storage) -> Mapping[str, Any]:
    """What the filesystem of that scheme is made with."""
    if scheme not in _S3:
        return {}
    found: dict[str, Any] = {
        "config_kwargs": {
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
            # what is damaged is found, and told as damage, by its SHA-256
            "response_checksum_validation": "when_required",
        },
        "client_kwargs": {"region_name": storage.region} if storage.region else {},
    }
    return {**found, "endpoint_url": storage.endpoint} if storage.endpoint else found
