"""References of images, taken apart and put together. Pure.

A registry may have a path, such as `r.example/acme`: its host is asked, and the path begins every repository's name.
"""

from __future__ import annotations

import re
from typing import Final

WHOLE: Final = (
    r"((localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|\[[0-9a-fA-F:]+\])(:[0-9]+)?|[A-Za-z0-9-]+:[0-9]+)"
    r"/[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?"
)
"""A reference that says where the image is; the charts' schemas have the same pattern."""


def split(reference: str) -> tuple[str, str, str]:
    """(host of the registry, repository, tag or digest).

    >>> split("10.217.0.1:5000/modelops/base:trixie")
    ('10.217.0.1:5000', 'modelops/base', 'trixie')
    >>> split("r.example/acme/modelops/base@sha256:ab")
    ('r.example', 'acme/modelops/base', 'sha256:ab')
    """
    host, _, rest = reference.partition("/")
    named, _, digest = rest.partition("@")
    repository, _, tag = named.partition(":")
    return host, repository, digest or tag or "latest"


def has_registry(reference: str) -> bool:
    """Whether what stands before the first `/` names a registry, as docker tells one from a folder.

    >>> has_registry("localhost/base:13"), has_registry("library/debian:13"), has_registry("debian:13")
    (True, False, False)
    """
    first, slash, _ = reference.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)


def fault(reference: str) -> str:
    """Why nobody can be asked for such an image, and what would be right; empty when somebody can.

    >>> fault("debian:13")
    "'debian:13' names no registry; with one it is such as docker.io/library/debian:13"
    """
    if re.fullmatch(WHOLE, reference):
        return ""
    if has_registry(reference):
        return f"'{reference}' is no reference of an image; one is <registry>/<repository>:<tag>, or …@sha256:<digest>"
    folder = "" if "/" in reference else "library/"
    return f"'{reference}' names no registry; with one it is such as docker.io/{folder}{reference}"


def host(registry: str) -> str:
    """Whom to ask.

    >>> host("r.example/acme"), host("10.217.0.1:5000")
    ('r.example', '10.217.0.1:5000')
    """
    return registry.partition("/")[0]


def image(registry: str, name: str) -> str:
    """Where an image of the platform is, without a tag.

    >>> image("r.example/acme", "scheduling-server")
    'r.example/acme/modelops/scheduling-server'
    """
    return f"{registry}/modelops/{name}"


def repository(registry: str, name: str) -> str:
    """The same, as the registry's host names it.

    >>> repository("r.example/acme", "scheduling-server")
    'acme/modelops/scheduling-server'
    """
    return image(registry, name).partition("/")[2]
