"""Settings of an issuer that would let in whom they should not, or nobody."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from scheduler import rest
from scheduler.errors import InvalidInputError
from scheduler.model.problem import Problem
from scheduler.settings import OidcSettings

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures that only a private key can make: with `none` and HS* anybody could, who knows the public one."""


def check(settings: OidcSettings) -> None:
    """Nothing; InvalidInputError with every fault of the settings."""
    problems = tuple(_problems(settings))
    if problems:
        raise InvalidInputError(problems)


def _problems(settings: OidcSettings) -> Iterator[Problem]:
    if not rest.is_encrypted(settings.issuer) or urlsplit(settings.issuer).query:
        yield Problem(pointer="MODELOPS_OIDC_ISSUER", message=f"'{settings.issuer}' is no https URL without a query")
    if not settings.audience:
        yield Problem(pointer="MODELOPS_OIDC_AUDIENCE", message="missing: tokens for anybody else would be accepted")
    for name in settings.algorithms:
        if name not in ALGORITHMS:
            message = f"'{name}' is not accepted"
            yield Problem(pointer="MODELOPS_OIDC_ALGORITHMS", message=message, candidates=tuple(sorted(ALGORITHMS)))
    if not settings.algorithms:
        yield Problem(pointer="MODELOPS_OIDC_ALGORITHMS", message="empty", candidates=tuple(sorted(ALGORITHMS)))
    if not settings.username_claim:
        yield Problem(pointer="MODELOPS_OIDC_USERNAME_CLAIM", message="missing: it names the claim that callers go by")
    if settings.ca_bundle:
        try:
            ssl.create_default_context(cadata=settings.ca_bundle)
        except ssl.SSLError as error:
            yield Problem(pointer="MODELOPS_OIDC_CA_BUNDLE", message=f"holds no PEM certificates: {error}")
