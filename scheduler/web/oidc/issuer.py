"""One issuer whose tokens are accepted."""

from __future__ import annotations

import logging

from scheduler.cluster.port import Caller
from scheduler.settings import OidcSettings
from scheduler.web.oidc import checks, claims, tokens
from scheduler.web.oidc.claims import RefusedError
from scheduler.web.oidc.discovery import Discovery
from scheduler.web.oidc.keys import KeyRing
from scheduler.web.oidc.port import Issuer

_log = logging.getLogger(__name__)


def from_settings(settings: OidcSettings) -> Issuer | None:
    """The issuer of the settings; None when they name none. InvalidInputError with everything that is wrong in them."""
    if not settings.issuer:
        return None
    checks.check(settings)
    return OidcIssuer(settings, keys=KeyRing(Discovery(settings).keys))


class OidcIssuer:
    """Tells callers by their tokens alone: the issuer is asked for its keys, never about a token."""

    def __init__(self, settings: OidcSettings, *, keys: KeyRing) -> None:
        self._settings = settings
        self._keys = keys

    def has_issued(self, token: str) -> bool:
        """By `iss` and `aud`. Where the issuer is the cluster's own, tokens for another audience are Kubernetes'."""
        found = tokens.claimed(token)
        audiences = found.get("aud")
        listed = audiences if isinstance(audiences, list) else [audiences]
        return found.get("iss") == self._settings.issuer and self._settings.audience in listed

    def caller(self, token: str) -> Caller | None:
        try:
            key = self._keys.key(tokens.key_id(token))
            if key is None:
                raise RefusedError("none of the issuer's keys has the name that it gives")
            return claims.caller(tokens.verified(token, key, self._settings), self._settings)
        except RefusedError as error:
            _log.info("a token of %s is not accepted: %s", self._settings.issuer, error)
            return None
