"""JSON Web Tokens (RFC 7519): the only place that knows PyJWT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jwt

from scheduler.settings import OidcSettings
from scheduler.web.oidc.claims import RefusedError
from scheduler.web.oidc.keys import Jwk

_LEEWAY_SECONDS: Final = 30
"""How far our clock and the issuer's may be apart."""
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
"""An issuer signs other things than tokens of callers with the same keys: logouts, for one."""
_NOT_A_TOKEN: Final = (jwt.PyJWTError, TypeError, ValueError, RecursionError)


def claimed(token: str) -> Mapping[str, Any]:
    """What the token says, unverified: good for choosing who verifies it. Empty for what is none."""
    try:
        found: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except _NOT_A_TOKEN:
        return {}
    return found


def key_id(token: str) -> str:
    """The name of the key that it says it is signed with; empty without one. RefusedError for what is no token."""
    found = _header(token).get("kid", "")
    if not isinstance(found, str):
        raise RefusedError("its key's name is no text")
    return found


def verified(token: str, key: Jwk, settings: OidcSettings) -> Mapping[str, Any]:
    """The claims of a token that this key signed, for our audience, by our issuer, now. RefusedError for any other.

    The algorithm is one of the settings', and the key's own where it has one: what the token says of it only counts
    when both agree.
    """
    header = _header(token)
    algorithm = header.get("alg")
    if algorithm not in settings.algorithms:
        raise RefusedError("its algorithm is not one of those that are accepted")
    if key.get("alg", algorithm) != algorithm:
        raise RefusedError("its algorithm is not its key's")
    if str(header.get("typ", "jwt")).lower() not in _TYPES:
        raise RefusedError("it is signed by the issuer, but is no token of a caller")
    try:
        found: Mapping[str, Any] = jwt.decode(
            token,
            key=jwt.PyJWK(dict(key), algorithm=algorithm),
            algorithms=[algorithm],
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
    except _NOT_A_TOKEN as error:
        raise RefusedError(str(error)) from error
    return found


def _header(token: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = jwt.get_unverified_header(token)
    except _NOT_A_TOKEN as error:
        raise RefusedError(str(error)) from error
    return found
