"""Verified claims as a caller, the way the API server itself would name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scheduler.cluster.port import Caller
from scheduler.settings import OidcSettings

_KUBERNETES: Final = "system:"
_EVERYBODY: Final = "system:authenticated"


class RefusedError(Exception):
    """Why a token is not accepted: for the log, never for its sender."""


def caller(claims: Mapping[str, Any], settings: OidcSettings) -> Caller:
    """Whom the claims name, with the prefixes of the settings.

    RefusedError without a name, and for names of `system:`, which are Kubernetes' own: whoever may choose a claim could
    be any ServiceAccount; and for names that do not print, which would mislead whoever reads them. Groups of either
    kind are left out.
    """
    name = claims.get(settings.username_claim)
    if not isinstance(name, str) or not name:
        raise RefusedError(f"its claim '{settings.username_claim}' names nobody")
    if settings.username_claim == "email" and claims.get("email_verified", True) is not True:
        raise RefusedError("its email is not verified")
    name = settings.username_prefix + name
    if not _is_good(name):
        raise RefusedError("its name is one of Kubernetes' own, or holds control characters")
    groups = (settings.groups_prefix + group for group in _groups(claims, settings.groups_claim))
    return Caller(name=name, groups=(*filter(_is_good, groups), _EVERYBODY))


def _is_good(name: str) -> bool:
    return not name.startswith(_KUBERNETES) and name.isprintable()


def _groups(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    found = claims.get(claim) if claim else None
    if found is None:
        return ()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(group, str) and group for group in listed):
        raise RefusedError(f"its claim '{claim}' is neither a group nor a list of groups")
    return tuple(dict.fromkeys(listed))
