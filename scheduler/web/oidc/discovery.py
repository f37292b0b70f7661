"""An issuer's public keys over HTTP, found as OpenID Connect Discovery 1.0 says."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

import scheduler
from scheduler import rest
from scheduler.errors import UnavailableError
from scheduler.settings import OidcSettings
from scheduler.web.oidc.keys import Jwk

_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_SECONDS: Final = 5.0
"""For each of the two documents, however slowly it drips."""
_MOST_BYTES: Final = 1 << 20


class Discovery:
    """Reads documents of one issuer, whose certificate the settings' authorities have signed. Follows no redirect."""

    def __init__(self, settings: OidcSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        self._issuer = settings.issuer
        self._client = httpx.Client(
            timeout=_SECONDS,
            # authorities of the settings stand alone; without them the system's count
            verify=ssl.create_default_context(cadata=settings.ca_bundle or None),
            transport=transport,
            follow_redirects=False,
            # no `Accept`: keys are application/jwk-set+json to some, and to the API server nothing else
            headers={"User-Agent": f"modelops/{scheduler.__version__}"},
            # a proxy for the outside world does not know the cluster's own addresses
            trust_env=not rest.is_private(urlsplit(settings.issuer).hostname or ""),
        )

    def keys(self) -> Sequence[Jwk]:
        """The issuer's keys as they are now. UnavailableError when it does not tell them as it should."""
        found = self._document(self._issuer.rstrip("/") + _WELL_KNOWN)
        if found.get("issuer") != self._issuer:
            raise UnavailableError(f"the issuer at {self._issuer} calls itself {str(found.get('issuer'))[:200]!r}")
        place = found.get("jwks_uri")
        if not isinstance(place, str) or not rest.is_encrypted(place):
            raise UnavailableError(f"the issuer at {self._issuer} names no https URL of its keys")
        keys = self._document(place).get("keys")
        if not isinstance(keys, list):
            raise UnavailableError(f"{place} holds no keys")
        return [key for key in keys if isinstance(key, dict)]

    def _document(self, url: str) -> dict[str, Any]:
        try:
            found = json.loads(self._content(url))
        except httpx.HTTPError as error:
            raise UnavailableError(f"{url} does not answer: {error}") from error
        except (ValueError, RecursionError) as error:
            raise UnavailableError(f"{url} answers something that is not JSON") from error
        if not isinstance(found, dict):
            raise UnavailableError(f"{url} answers something that is no JSON object")
        return found

    def _content(self, url: str) -> bytes:
        deadline, content = time.monotonic() + _SECONDS, b""
        with self._client.stream("GET", url) as response:
            if response.status_code != 200:
                raise UnavailableError(f"{url} answers {response.status_code}")
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _MOST_BYTES or time.monotonic() > deadline:
                    raise UnavailableError(f"{url} answers too much or too slowly")
        return content
